#include "flow/delivery/dkim.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <map>
#include <thread>
#include <vector>

#include "base/hash.h"
#include "flow/delivery/mime.h"

namespace delivery {
namespace {

std::string NewKeyPem(bool ed25519, unsigned bits = 2048) {
    EVP_PKEY* key = ed25519 ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
                            : EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", size_t{bits});
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(bio, &bytes);
    std::string out(bytes, static_cast<size_t>(size));
    BIO_free(bio);
    EVP_PKEY_free(key);
    return out;
}

// A verifier that knows the RFC and the DNS record only, written the slow and plain way.
std::string Relaxed(std::string_view header) {
    const size_t colon = header.find(':');
    std::string out;
    for (const char c : header.substr(0, colon)) {
        if (c != ' ' && c != '\t') out.push_back(static_cast<char>(tolower(c)));
    }
    std::string value;
    for (const char c : header.substr(colon + 1)) {
        if (c == '\r' || c == '\n') continue;
        const char one = c == '\t' ? ' ' : c;
        if (one == ' ' && (value.empty() || value.back() == ' ')) continue;
        value.push_back(one);
    }
    while (!value.empty() && value.back() == ' ') value.pop_back();
    return out + ":" + value;
}

std::string PlainRelaxedBody(std::string_view body) {
    std::string out;
    while (!body.empty()) {
        const size_t end = std::min(body.find("\r\n"), body.size());
        std::string line;
        for (const char c : body.substr(0, end)) {
            const char one = c == '\t' ? ' ' : c;
            if (one == ' ' && !line.empty() && line.back() == ' ') continue;
            line.push_back(one);
        }
        if (!line.empty() && line.back() == ' ') line.pop_back();
        out += line + "\r\n";
        body.remove_prefix(std::min(end + 2, body.size()));
    }
    while (out.size() >= 4 && out.substr(out.size() - 4) == "\r\n\r\n") out.resize(out.size() - 2);
    return out == "\r\n" ? "" : out;
}

std::map<std::string, std::string> Tags(std::string_view text) {
    std::map<std::string, std::string> out;
    while (!text.empty()) {
        const std::string_view item = text.substr(0, text.find(';'));
        text.remove_prefix(std::min(item.size() + 1, text.size()));
        const size_t equals = item.find('=');
        std::string name, value;
        for (const char c : item.substr(0, equals)) {
            if (!isspace(static_cast<unsigned char>(c))) name.push_back(c);
        }
        for (const char c : item.substr(equals + 1)) {
            if (!isspace(static_cast<unsigned char>(c))) value.push_back(c);
        }
        out[name] = value;
    }
    return out;
}

std::vector<std::string> Headers(const std::string& letter) {
    std::vector<std::string> out;
    size_t at = 0;
    while (letter.compare(at, 2, "\r\n") != 0) {
        const size_t end = letter.find("\r\n", at);
        const std::string line = letter.substr(at, end - at);
        if (line[0] == ' ' || line[0] == '\t') {
            out.back() += "\r\n" + line;
        } else {
            out.push_back(line);
        }
        at = end + 2;
    }
    return out;
}

bool Verify(const std::string& letter, const std::string& dns_text) {
    std::vector<std::string> headers = Headers(letter);
    if (!headers[0].starts_with("DKIM-Signature:")) return false;
    const std::string own = headers[0];
    auto tags = Tags(std::string_view(own).substr(15));
    const std::string body = letter.substr(letter.find("\r\n\r\n") + 4);
    if (base::Base64Encode(base::Sha256(PlainRelaxedBody(body))) != tags["bh"]) return false;
    std::string text, names = tags["h"] + ":";
    std::vector<bool> used(headers.size());
    while (!names.empty()) {
        const std::string name = names.substr(0, names.find(':'));
        names.erase(0, name.size() + 1);
        for (size_t i = headers.size(); i-- > 1;) {
            if (used[i] || Relaxed(headers[i]).substr(0, name.size() + 1) != name + ":") continue;
            used[i] = true;
            text += Relaxed(headers[i]) + "\r\n";
            break;
        }
    }
    text += Relaxed(own.substr(0, own.rfind("b=") + 2));
    auto dns = Tags(dns_text);
    std::string key_bytes, signature;
    base::Base64Decode(dns["p"], key_bytes);
    base::Base64Decode(tags["b"], signature);
    const bool ed25519 = dns["k"] == "ed25519";
    if (tags["a"] != (ed25519 ? "ed25519-sha256" : "rsa-sha256")) return false;
    const auto* der = reinterpret_cast<const unsigned char*>(key_bytes.data());
    EVP_PKEY* key = ed25519 ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, der,
                                                          key_bytes.size())
                            : d2i_PUBKEY(nullptr, &der, static_cast<long>(key_bytes.size()));
    if (ed25519) text = base::Sha256(text);
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_DigestVerifyInit(context, nullptr, ed25519 ? nullptr : EVP_sha256(), nullptr, key);
    const bool fine =
        EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()),
                         signature.size(), reinterpret_cast<const unsigned char*>(text.data()),
                         text.size()) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return fine;
}

std::string OurLetter() {
    LetterParts parts;
    parts.from = {"Ripen \xe3\x81\x82", "news@example.com"};
    parts.to = {"Anna", "anna@example.org"};
    parts.subject = "A subject that is long enough to be folded, because it has many words in it";
    parts.date_ms = 1767607200000;
    parts.idempotency_key = "1/3-10-2";
    parts.list_unsubscribe_url = "https://go.example.com/u/abc";
    parts.text = "Hello  you \t x\n \n\n";
    parts.html = "<p>  Hello \xe3\x81\x82\n\n";
    return BuildLetter(parts, "secret")->bytes;
}

TEST(Dkim, SignedLettersVerifyWithBothKinds) {
    for (const bool ed25519 : {false, true}) {
        const auto signer = DkimSigner::Create("example.com", "s1", NewKeyPem(ed25519));
        ASSERT_TRUE(signer.has_value());
        EXPECT_EQ("s1._domainkey.example.com", signer->DnsName());
        const std::string letter = OurLetter();
        const std::string header = signer->Sign(letter, 1767607200000).value();
        EXPECT_TRUE(Verify(header + letter, signer->DnsText()));
        for (size_t at = 0; at < header.size();) {
            const size_t end = header.find("\r\n", at);
            EXPECT_LE(end - at, 78u);
            at = end + 2;
        }
        const auto tags = Tags(std::string_view(header).substr(15));
        const std::string names = ":" + tags.at("h") + ":";
        EXPECT_NE(std::string::npos, names.find(":list-unsubscribe:"));
        EXPECT_NE(std::string::npos, names.find(":list-unsubscribe-post:"));
        EXPECT_TRUE(names.ends_with(":from:"));
        EXPECT_EQ("1767607200", tags.at("t"));
    }
}

TEST(Dkim, OddBodiesVerify) {
    const auto signer = DkimSigner::Create("example.com", "s1", NewKeyPem(true));
    const std::string head = "From: a@example.com\r\nSubject:  x \r\n\ty\r\n\r\n";
    std::vector<std::string> bodies = {"", "\r\n", "\r\n\r\n", " \r\n", "a", "a \t b\t\r\n",
                                       "a\r\n\r\n\r\n", "\ta\r\n", " \t \r\nx\r\n", "a  \r\n \r\n"};
    for (size_t pad = 0; pad < 40; ++pad) {  // Every place within the sixteen bytes at a time.
        bodies.push_back(std::string(pad, 'x') + " \ty  z \r\n\tq \r\n");
    }
    for (const std::string& body : bodies) {
        const std::string letter = head + body;
        EXPECT_TRUE(Verify(*signer->Sign(letter, 0) + letter, signer->DnsText())) << body;
    }
}

TEST(Dkim, AnyChangeBreaksIt) {
    const auto signer = DkimSigner::Create("example.com", "s1", NewKeyPem(true));
    const std::string letter = OurLetter();
    const std::string header = signer->Sign(letter, 0).value();
    const auto changed = [&](std::string_view from, std::string_view to) {
        std::string out = letter;
        return header + out.replace(out.find(from), from.size(), to);
    };
    EXPECT_TRUE(Verify(header + letter, signer->DnsText()));
    EXPECT_FALSE(Verify(changed("news@", "evil@"), signer->DnsText()));
    EXPECT_FALSE(Verify(changed("Date:", "From: evil@x.y\r\nDate:"), signer->DnsText()));
    EXPECT_FALSE(Verify(changed("/u/abc", "/u/abd"), signer->DnsText()));
    EXPECT_FALSE(Verify(changed("One-Click", "Two-Click"), signer->DnsText()));
    EXPECT_FALSE(Verify(changed("Hello", "Hallo"), signer->DnsText()));
}

TEST(Dkim, ThreadsSignWithOneSigner) {
    const auto signer = DkimSigner::Create("example.com", "s1", NewKeyPem(false));
    const std::string letter = OurLetter();
    std::vector<std::string> headers(8);
    std::vector<std::thread> threads;
    for (std::string& header : headers) {
        threads.emplace_back([&] {
            for (int i = 0; i < 8; ++i) header = signer->Sign(letter, 0).value();
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::string& header : headers) {
        EXPECT_TRUE(Verify(header + letter, signer->DnsText()));
    }
}

TEST(Dkim, BadKeysAndNamesAreRefused) {
    EXPECT_FALSE(DkimSigner::Create("example.com", "s1", "not a key").has_value());
    EXPECT_FALSE(DkimSigner::Create("example.com", "s1", NewKeyPem(false, 768)).has_value());
    EXPECT_TRUE(DkimSigner::Create("example.com", "s1", NewKeyPem(false, 1024)).has_value());
    for (const char* bad : {"", "a b", "a;b", "a\r\nb", ".a", "a."}) {
        EXPECT_FALSE(DkimSigner::Create(bad, "s1", NewKeyPem(true)).has_value());
        EXPECT_FALSE(DkimSigner::Create("example.com", bad, NewKeyPem(true)).has_value());
    }
}

TEST(Dkim, LetterWithoutFromOrBodyIsRefused) {
    const auto signer = DkimSigner::Create("example.com", "s1", NewKeyPem(true));
    EXPECT_FALSE(signer->Sign("Subject: x\r\n\r\nhello\r\n", 0).has_value());
    EXPECT_FALSE(signer->Sign("From: a@b.c\r\n", 0).has_value());
    EXPECT_FALSE(signer->Sign("", 0).has_value());
}

}  // namespace
}  // namespace delivery
