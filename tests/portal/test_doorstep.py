"""Without TLS there is a doorstep and nothing else: how to trust the root, before the browser's first warning."""

from __future__ import annotations

import http.client

import pytest

from tests.portal.house import House


def plain(house: House, method: str, path: str, body: str | None = None) -> http.client.HTTPResponse:
    """One request in plain HTTP to the portal's TLS port."""
    connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=10)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    connection.request(method, path, body, headers)
    return connection.getresponse()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("GET", "/", None), ("GET", "/signin", None), ("POST", "/signin", "login=a&password=b"), ("GET", "/api/v1/status", None)],
)
def test_everything_leads_to_the_doorstep(house: House, method: str, path: str, body: str | None) -> None:
    """Whoever typed the address without https is led to the page about trust; nothing is asked of him and no password is taken."""
    answer = plain(house, method, path, body)
    assert (answer.status, answer.headers["location"]) == (302, "/trust")


def test_the_doorstep_says_how_to_trust(house: House) -> None:
    """It shows the root's fingerprint and gives the root, with no cookie that could work."""
    page = plain(house, "GET", "/trust")
    text = page.read().decode()
    assert page.status == 200 and "SHA-256" in text
    root = plain(house, "GET", "/trust/root.pem").read()
    assert root == house.home.settings.path("certs", "root.pem").read_bytes()
