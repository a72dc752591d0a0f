"""Packaging: the top-level packages, their data and the ``yiwang`` command."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
TOP = ["node", "office", "sync", "media", "ops", "city_node", "county_node", "township_node"]
REQUIRES = [line.strip() for line in (HERE / "ops/lock/core.in").read_text().splitlines() if line.strip() and not line.startswith(("#", "-"))]

setup(
    name="yiwang",
    version="0.1.0",
    description="The office network of a prefecture: city, county and township nodes that exchange signed documents",
    python_requires=">=3.11",
    packages=find_packages(include=[p for t in TOP for p in (t, t + ".*")]),
    package_data={"": ["templates/*", "static/*", "static/*/*", "locale/*.po", "data/*", "lock/*", "*.toml", "py.typed"]},
    install_requires=REQUIRES,
    entry_points={"console_scripts": ["yiwang = ops.cli:main"]},
)
