#!/usr/bin/env python3
"""Fetches dlib's newest source package and unpacks it: get.py FOLDER makes FOLDER/dlib, with the version in FOLDER/dlib/version."""
import hashlib
import io
import json
import os
import shutil
import sys
import tarfile
import urllib.request


def fetch(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read()


folder = os.path.join(sys.argv[1], "dlib")
package = json.loads(fetch("https://pypi.org/pypi/dlib/json"))
source = next(u for u in package["urls"] if u["packagetype"] == "sdist")
archive = fetch(source["url"])
if hashlib.sha256(archive).hexdigest() != source["digests"]["sha256"]:
    sys.exit("the package's checksum is wrong")
shutil.rmtree(folder, ignore_errors=True)
with tarfile.open(fileobj=io.BytesIO(archive)) as files:
    files.extractall(folder + ".new")
os.replace(os.path.join(folder + ".new", os.listdir(folder + ".new")[0]), folder)
os.rmdir(folder + ".new")
with open(os.path.join(folder, "version"), "w") as file:
    file.write(package["info"]["version"])
