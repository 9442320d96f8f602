"""A photo of a film on a light box becomes an image that can be screened, and says that it is a photo."""
