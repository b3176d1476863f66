#!/usr/bin/env python3
"""Prints the licences of all crates in the binary for a platform, each text once."""

import json
import subprocess
import sys
from pathlib import Path

NAMES = ("LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE")
HEAD = """\
The binary of Tidegate contains the Rust crates below, and the standard library of Rust, which is
licensed under MIT or Apache-2.0. Each text stands after the crates that it comes from.
"""


def crates(platform: str) -> list[dict]:
    """Returns the packages that the binary is made of, without those of this project."""
    command = ["cargo", "metadata", "--locked", "--format-version=1", "--filter-platform", platform]
    metadata = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    waiting = [id for id, package in packages.items() if package["name"] == "tidegate"]
    reached = set(waiting)
    while waiting:
        for dependency in nodes[waiting.pop()]["deps"]:
            is_linked = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            if is_linked and dependency["pkg"] not in reached:
                reached.add(dependency["pkg"])
                waiting.append(dependency["pkg"])
    members = set(metadata["workspace_members"])
    found = [packages[id] for id in reached - members]
    return sorted(found, key=lambda package: (package["name"], package["version"]))


def licences(package: dict) -> list[str]:
    """Returns the texts that the package comes with."""
    folder = Path(package["manifest_path"]).parent
    files = {path for path in folder.iterdir() if path.name.upper().startswith(NAMES)}
    if package["license_file"]:
        files.add(folder / package["license_file"])
    files = sorted(path for path in files if path.is_file() and path.suffix != ".rs")
    return [path.read_text(encoding="utf-8", errors="replace").strip() for path in files]


def main() -> None:
    """Prints a chapter for each text."""
    users: dict[str, list[str]] = {}
    for package in crates(sys.argv[1]):
        name = f"{package['name']} {package['version']} ({package['license']})"
        for text in licences(package) or ["The package comes without a text of its licence."]:
            users.setdefault(text, []).append(name)
    print(HEAD)
    for text, names in users.items():
        print("=" * 80, *names, "-" * 80, text, "", sep="\n")


main()
