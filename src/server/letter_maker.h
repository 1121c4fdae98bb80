// Makes the bytes of a granted message: values into the letter's templates, links and pixel,
// MIME, the second look, DKIM.
//
// Templates see what the claim handed over (person, event, journey) and besides
//   unsubscribe_url, sender.name, sender.address, sender.postal_address.
// An HTML letter that does not mention unsubscribe_url still carries List-Unsubscribe.
//
// Threads: Make from any thread at once.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "catalog/catalog.h"
#include "flow/delivery/dkim.h"
#include "model/outbox.h"

namespace server {

struct MadeLetter {
    std::string envelope_from;
    std::string to;
    std::string bytes;
    std::string subject;
    std::string text;
    std::string html;        // With its links and pixel as sent.
    std::string mailbox_id;  // 32 hex digits, the same for every try, not to be guessed.
};

struct LetterMakerOptions {
    std::string public_url;
    std::string from_address;
    std::string from_name;
    std::string dkim_domain;
    std::string dkim_selector;
    std::string dkim_key;  // PEM text.
};

class LetterMaker {
  public:
    // Errors: kInvalidArgument (DKIM key, domain or selector; public URL).
    static base::Result<std::unique_ptr<LetterMaker>> Create(const catalog::Catalog& catalog,
                                                             LetterMakerOptions options);

    // Errors, none of which a second try would mend; public_text is fit for the person's card:
    //   kNotFound (journey version or step), kInvalidArgument (template, values, address, sender),
    //   kTooLarge (budgets, letter), kCorrupt (the second look refused it).
    base::Result<MadeLetter> Make(const model::OutboxEvent& event, base::TimeMs now) const;

  private:
    LetterMaker(const catalog::Catalog& catalog, LetterMakerOptions options)
        : catalog_(catalog), options_(std::move(options)) {}

    const catalog::Catalog& catalog_;
    LetterMakerOptions options_;
    std::optional<delivery::DkimSigner> signer_;
};

}  // namespace server
