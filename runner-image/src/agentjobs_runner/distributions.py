"""Which package on PyPI most likely provides a module, where the two have different names."""

from __future__ import annotations

import sys

# Import names, the longest that fits counts.
PROVIDERS = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "Crypto": "pycryptodome",
    "dateutil": "python-dateutil",
    "discord": "discord.py",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "fitz": "PyMuPDF",
    "flask_cors": "Flask-Cors",
    "git": "GitPython",
    "github": "PyGithub",
    "gitlab": "python-gitlab",
    "google.auth": "google-auth",
    "google.cloud": "google-cloud-core",
    "google.cloud.bigquery": "google-cloud-bigquery",
    "google.cloud.storage": "google-cloud-storage",
    "google.generativeai": "google-generativeai",
    "google.genai": "google-genai",
    "google.oauth2": "google-auth",
    "google.protobuf": "protobuf",
    "google": "google-auth",
    "googleapiclient": "google-api-python-client",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "kafka": "kafka-python",
    "ldap": "python-ldap",
    "magic": "python-magic",
    "mpl_toolkits": "matplotlib",
    "MySQLdb": "mysqlclient",
    "nacl": "PyNaCl",
    "newspaper": "newspaper3k",
    "OpenSSL": "pyOpenSSL",
    "past": "future",
    "PIL": "Pillow",
    "pkg_resources": "setuptools",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "pylab": "matplotlib",
    "pythoncom": "pywin32",
    "ruamel": "ruamel.yaml",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slack": "slack_sdk",
    "slugify": "python-slugify",
    "snappy": "python-snappy",
    "socks": "PySocks",
    "talib": "TA-Lib",
    "telegram": "python-telegram-bot",
    "tlz": "toolz",
    "usb": "pyusb",
    "websocket": "websocket-client",
    "win32api": "pywin32",
    "Xlib": "python-xlib",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}


def provider(module: str) -> str:
    """The package's name for a dotted module name; the module's first name where none is known."""
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        known = PROVIDERS.get(".".join(parts[:length]))
        if known:
            return known
    return parts[0].replace("_", "-")


def lacking(module: str) -> tuple[str, str]:
    """What to say behind the module's name, and what to do."""
    first, dot, _ = module.partition(".")
    if not dot and first in sys.stdlib_module_names:
        return "part of Python, but not of this image", "write the script without it"
    if dot and (first in sys.stdlib_module_names or provider(module) == provider(first)):
        remedy = f"correct the name, or use a version of {first} that has it"
        return f"{first} has no such module", remedy
    remedy = (
        "add the package with its version to spec.packages, such as NAME==1.2.3, and have it"
        " approved"
    )
    return f"package {provider(module)}", remedy
