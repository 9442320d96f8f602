"""The colours of the maps that evidence is drawn in, as OpenCV has them: blue, green, red of 256 levels, in base64.

A test compares them with OpenCV's.
"""

import base64
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

_COLOURS: Final = {
    "viridis": (
        "VAFEVgJEVwRFWQVFWgdGXAhGXQpGXgtGYA1HYQ5HYxBHZBFHZRNHZxRIaBZIaRdIahhIbBpIbRtIbhxIbx1IcB9IcSBIcyFIdCNIdSRI"
        "diVIdyZIeChIeSlIeipHeixHey1HfC5HfS9HfjBGfjJGfzNGgDRGgTVFgTdFgjhFgzlEgzpEhDtEhD1DhT5DhT9ChkBChkFCh0JBh0RB"
        "iEVAiEZAiEc/iUg/iUk+iUo+ikw+ik09ik49ik88i1A8i1E7i1I7i1M6jFQ6jFU5jFY5jFg4jFk4jFo3jVs3jVw2jV02jV41jV81jWA0"
        "jWE0jWIzjWMzjmQyjmUyjmYxjmcxjmgxjmkwjmowjmsvjmwvjm0ujm4ujm8ujnAtjnEtjnEsjnIsjnMsjnQrjnUrjnYqjncqjngqjnkp"
        "jnopjnspjnwojn0ojn4njn8njoAnjoEmjoImjoImjoMljoQljoUljoYkjockjogjjokjjYojjYsijYwijY0ijY4hjY8hjZAhjJEhjJIg"
        "jJIgjJMgjJQfi5Ufi5Yfi5cfi5gfipkfipofipseiZweiZ0eiZ4fiJ8fiKAfiKEfh6Efh6IfhqMghqQghaUhhaYhhacihKgig6kjg6ok"
        "gqslgqwlga0mga0ngK4of68pf7AqfrEsfbItfLMufLQve7UxerYyebY0ebc1eLg3d7k4dro6dbs7dLw9c7w/cr1Acb5CcL9Eb8BGbsFI"
        "bcFKbMJMa8NOasRQacVSaMVUZ8ZWZcdYZMhaY8hcYsleYMpgX8tjXstlXMxnW81pWs1sWM5uV89wVtBzVNB1U9F3UdF6UNJ8TtN/TdOB"
        "S9SESdWGSNWJRtaLRdaOQ9eQQdeTQNiVPtiYPNmbO9mdOdqgN9qiNtulNNuoMtyqMNytL92wLd2yK961Kd64KN66Jt+9Jd/AI9/CIeDF"
        "IODIH+HKHeHNHOHQG+LSGuLVGeLYGePaGOPdGOPfGOTiGeTlGeTnGuXqG+XsHOXvHeXxHub0IOb2Ieb4I+f7Jef9"
    ),
    "cividis": (
        "TiIATyMAUSQAUyUAVCUAViYAWCcAWSgAWygAXSkAXyoAYSoAYisAZCwAZiwAaC0Aai4AbC4AbS8AbzAAcDAAcDEAcTEAcTIBcTMFcDMI"
        "cDQMcDUPcDUScDYUcDcWbzcYbzgabzkcbzoebzogbjshbjwjbjwkbj0mbj4nbj8pbT8qbUArbUEtbUEubUIvbUMxbUMybUQzbEU0bEU1"
        "bEY2bEc4bEg5bEg6bEk7bEo8bEo9bEs+bEw/bExAbE1BbE5CbE5DbE9EbFBFbFFGbFFHbFJIbFNJbFNKbFRLbFVMbFVNbFZObFdPbFdQ"
        "bVhRbVlSbVpTbVpUbVtVbVxVbVxWbV1XbV5Ybl5Zbl9abmBbbmFcbmFdbmJeb2Neb2Nfb2Rgb2Vhb2VicGZjcGdkcGhlcGhlcGlmcWpn"
        "cWpocWtpcWxqcm1rcm1scm5scm9tc29uc3Bvc3FwdHJxdHJydHNydXRzdXR0dXV1dnZ2dnd3d3d3d3h4d3l5eHp6eHp7eHt8eHx9eHx+"
        "eH1+eH5/eH+AeH+BeYCCeYGDeYKEeYKFeYOGeISHeIWIeIWJeIaKeIeLeIiMeIiNeImOeIqPeIuQeIuReIySeI2SeI6Td46Ud4+Vd5CW"
        "d5GXd5KYd5KZdpOadpSbdpWcdpWddpaedZefdZigdZmhdZmidJqjdJukdJyldJymc52nc56oc5+pc6CqcqCrcqGscqKtcaOucaSvcaWw"
        "cKWxcKazb6e0b6i1b6m2bqm3bqq4bau5bay6ba27bK68bK69a6++a7C/arHAarLBabPCabPDaLTEaLXFZ7bGZ7fHZrjIZbnJZbnLZLrM"
        "Y7vNY7zOYr3PYr7QYb/RYMDSX8DTX8HUXsLVXcPWXMTXXMXZW8baWsfbWcjcWMjdWMneV8rfVsvgVczhVM3iU87kUs/lUdDmUNHnT9Lo"
        "TtPpTNPqS9TrStXtSdbuSNfvRtjwRdnxRNryQtvzQdz1P932Pt73PN/4OuD5OOH7NuL8NOP9NOT+NeX+Nub+OOj+"
    ),
    "jet": (
        "gAAAhAAAiAAAjAAAkAAAlAAAmAAAnAAAoAAApAAAqAAArAAAsAAAtAAAuAAAvAAAwAAAxAAAyAAAzAAA0AAA1AAA2AAA3AAA4AAA5AAA"
        "6AAA7AAA8AAA9AAA+AAA/AAA/wAA/wQA/wgA/wwA/xAA/xQA/xgA/xwA/yAA/yQA/ygA/ywA/zAA/zQA/zgA/zwA/0AA/0QA/0gA/0wA"
        "/1AA/1QA/1gA/1wA/2AA/2QA/2gA/2wA/3AA/3QA/3gA/3wA/4AA/4QA/4gA/4wA/5AA/5QA/5gA/5wA/6AA/6QA/6gA/6wA/7AA/7QA"
        "/7gA/7wA/8AA/8QA/8gA/8wA/9AA/9QA/9gA/9wA/+AA/+QA/+gA/+wA//AA//QA//gA//wA/v8C+v8G9v8K8v8O7v8S6v8W5v8a4v8e"
        "3v8i2v8m1v8q0v8uzv8yyv82xv86wv8+vv9Cuv9Gtv9Ksv9Orv9Sqv9Wpv9aov9env9imv9mlv9qkv9ujv9yiv92hv96gv9+fv+Cev+G"
        "dv+Kcv+Obv+Sav+WZv+aYv+eXv+iWv+mVv+qUv+uTv+ySv+2Rv+6Qv++Pv/COv/GNv/KMv/OLv/SKv/WJv/aIv/eHv/iGv/mFv/qEv/u"
        "Dv/yCv/2Bv/6Af/+APz/APj/APT/APD/AOz/AOj/AOT/AOD/ANz/ANj/ANT/AND/AMz/AMj/AMT/AMD/ALz/ALj/ALT/ALD/AKz/AKj/"
        "AKT/AKD/AJz/AJj/AJT/AJD/AIz/AIj/AIT/AID/AHz/AHj/AHT/AHD/AGz/AGj/AGT/AGD/AFz/AFj/AFT/AFD/AEz/AEj/AET/AED/"
        "ADz/ADj/ADT/ADD/ACz/ACj/ACT/ACD/ABz/ABj/ABT/ABD/AAz/AAj/AAT/AAD/AAD8AAD4AAD0AADwAADsAADoAADkAADgAADcAADY"
        "AADUAADQAADMAADIAADEAADAAAC8AAC4AAC0AACwAACsAACoAACkAACgAACcAACYAACUAACQAACMAACIAACEAACA"
    ),
}


@cache
def colours_of(name: str) -> npt.NDArray[np.uint8]:
    """The colours (256, 3) of "viridis", "cividis" or "jet"; KeyError for any other."""
    return np.frombuffer(base64.b64decode(_COLOURS[name]), np.uint8).reshape(256, 3)
