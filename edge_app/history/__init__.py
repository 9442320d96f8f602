"""What the app keeps on this device: screenings, their images, and how they turned out."""
