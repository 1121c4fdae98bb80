// Signs letters with DKIM (RFC 6376), relaxed/relaxed: rsa-sha256 and ed25519-sha256 (RFC 8463).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace delivery {

// Holds the key, read once. Sign is const and may run on many threads at once: an RSA signature
// takes some 240 us, so the caller spreads it over workers.
class DkimSigner {
  public:
    // `pem`: a private key, RSA of 1024 bits or more, or Ed25519.
    // Errors: kInvalidArgument (not a key, weak or of another kind, bad domain or selector).
    static base::Result<DkimSigner> Create(std::string_view domain, std::string_view selector,
                                           std::string_view pem);
    ~DkimSigner();
    DkimSigner(DkimSigner&&) noexcept;
    DkimSigner& operator=(DkimSigner&&) noexcept;

    // The header field, folded, with its CRLF, to be put before the letter. Covers From (once
    // more than it occurs, so that a second one breaks the signature), To, Reply-To, Subject,
    // Date, Message-ID, MIME-Version, Content-Type, Content-Transfer-Encoding, List-Unsubscribe,
    // List-Unsubscribe-Post, Feedback-ID and X-Idempotency-Key where present. No l=, no x=.
    // Errors: kCorrupt (no header, no From); kInternal (OpenSSL).
    base::Result<std::string> Sign(std::string_view letter, base::TimeMs now) const;

    // The TXT record that receivers look for: name "selector._domainkey.domain".
    std::string DnsName() const;
    std::string DnsText() const;  // "v=DKIM1; k=rsa; p=..."

    std::string_view domain() const;

  private:
    struct Key;
    explicit DkimSigner(std::unique_ptr<const Key> key);
    std::unique_ptr<const Key> key_;
};

}  // namespace delivery
