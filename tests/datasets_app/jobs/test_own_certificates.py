"""Sites that an authority of one's own signed: refused, trusted, or not checked by an admin."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from datasets_app.jobs.web import fetch_pages
from datasets_app.models import WebAuthority, WebFetch
from otto_web.lib.models import AuditEntry
from tests.datasets_app.web_server import WORDS, page, serving

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server", "data_dir"),
]


def signed(name, key, signer, signing_key, extension):
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(signer)
    made = made.public_key(key.public_key()).serial_number(x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(2))
    made = made.add_extension(extension, critical=False)
    return made.sign(signing_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def named(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@pytest.fixture
def authority(tmp_path):
    """Give the certificate of an authority, and what a site that it signed serves with."""
    roots, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    names = named("The team"), named("127.0.0.1")
    pem = signed(names[0], roots, names[0], roots, x509.BasicConstraints(ca=True, path_length=0))
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    leaf = signed(names[1], own, names[0], roots, here)
    file = tmp_path / "site.pem"
    how = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(leaf + own.private_bytes(serialization.Encoding.PEM, *how))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return pem, context


@pytest.fixture
def site(authority, settings):
    settings.OTTO_WEB_INTERNAL_HOSTS = ["127.0.0.1"]
    with serving({"/": page("Help", WORDS)}, authority[1]) as found:
        yield found


def ordered(client, site, **more):
    rest = {"most_pages": "1", "most_depth": "1", "shortest": "50", "page_seconds": "10"}
    fields = {"addresses": site.at("/"), "pause_seconds": "0.2", **rest, **more}
    assert client.post(reverse("web-new"), fields).status_code == 302
    fetch = WebFetch.objects.latest("created_at")
    for _ in range(4):
        fetch_pages(fetch.pk)
    fetch.refresh_from_db()
    return fetch, fetch.pages.get().reason


@pytest.mark.checklist(259)
def test_an_admin_brings_the_certificate_of_an_authority(authority, site, client_of, ada, cora):
    admin, at = client_of(ada), reverse("authority-list")
    assert ordered(client_of(cora), site)[1] == "bad_certificate"
    der = ssl.PEM_cert_to_DER_cert(authority[0].decode())
    odd = authority[0].replace(b"\nM", "\né".encode(), 1)
    for junk in (b"no certificate", der, odd, authority[0][:80]):
        answer = admin.post(at, {"sent": SimpleUploadedFile("a.pem", junk)})
        assert answer.status_code == 422
        assert "This is no certificate in PEM" in answer.text
    remark = "\ufeff# Zertifikat für uns\r\n".encode()
    brought = {"sent": SimpleUploadedFile("a.pem", remark + authority[0])}
    shown = admin.post(at, brought, follow=True).content.decode()
    assert "The team" in shown
    fetch, reason = ordered(client_of(cora), site)
    assert (fetch.state, reason) == ("succeeded", "")
    admin.post(reverse("authority-drop", args=[WebAuthority.objects.get().pk]))
    assert ordered(client_of(cora), site)[1] == "bad_certificate"
    told = AuditEntry.objects.filter(object_type="webauthority").values_list("verb", flat=True)
    assert set(told) == {"authority.trusted", "authority.dropped"}
    assert client_of(cora).get(at).status_code == 403
    assert client_of(cora).post(reverse("authority-drop", args=[1])).status_code == 403


@pytest.mark.checklist(258)
def test_only_an_admin_may_leave_certificates_unchecked_and_the_trail_says_so(
    site, client_of, ada, cora
):
    warning = "can then read and change"
    assert warning in client_of(ada).get(reverse("web-new")).content.decode()
    assert warning not in client_of(cora).get(reverse("web-new")).content.decode()
    fetch, reason = ordered(client_of(cora), site, is_unchecked="on")
    assert (fetch.is_unchecked, reason) == (False, "bad_certificate")
    fetch, reason = ordered(client_of(ada), site, is_unchecked="on")
    assert (fetch.is_unchecked, fetch.state, reason) == (True, "succeeded", "")
    entry = AuditEntry.objects.get(verb="web.unchecked")
    assert (entry.actor, entry.object_id) == (ada, str(fetch.pk))
