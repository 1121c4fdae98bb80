#include "server/letter_maker.h"

#include <algorithm>

#include "api/letter_tokens.h"
#include "base/hash.h"
#include "base/limits.h"
#include "flow/delivery/letter_check.h"
#include "flow/delivery/links.h"
#include "flow/delivery/mime.h"
#include "language/liquid/value.h"

namespace server {

namespace {

constexpr size_t kMailboxIdBytes = 16;

// "Anna <anna@example.com>", "\"A, B\" <...>" or the address alone.
delivery::Mailbox ReadMailbox(std::string_view text) {
    const auto trim = [](std::string_view t) {
        while (!t.empty() && t.front() == ' ') t.remove_prefix(1);
        while (!t.empty() && t.back() == ' ') t.remove_suffix(1);
        return t;
    };
    text = trim(text);
    const auto open = text.rfind('<');
    if (open == std::string_view::npos || !text.ends_with('>')) return {"", std::string(text)};
    std::string_view name = trim(text.substr(0, open));
    if (name.size() >= 2 && name.front() == '"' && name.back() == '"') {
        name = name.substr(1, name.size() - 2);
    }
    return {std::string(name), std::string(text.substr(open + 1, text.size() - open - 2))};
}

// A subject is one line; a value with a line break in it must not fail the letter.
std::string OneLine(const std::string& text) {
    std::string line;
    for (const char c : text) {
        const bool space = static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
        if (!space) line.push_back(c);
        if (space && !line.empty() && line.back() != ' ') line.push_back(' ');
    }
    while (line.ends_with(' ')) line.pop_back();
    return line;
}

// The author's card should say which of the letter's three templates it was.
tl::unexpected<base::Error> InPart(base::Error error, std::string_view part) {
    const std::string text =
        std::string(part) + (error.at.empty() ? "" : " at " + error.at) + ": " +
        base::ClientText(error);
    error.internal = std::string(part) + ": " + error.internal;
    error.public_text = text;
    return tl::make_unexpected(std::move(error));
}

base::Result<std::string> Print(const std::optional<liquid::Template>& part, std::string_view name,
                                const liquid::Value& scope, const liquid::Options& options) {
    if (!part) return std::string();
    auto printed = part->Render(scope, options);
    if (!printed) return InPart(std::move(printed.error()), name);
    return printed;
}

}  // namespace

base::Result<std::unique_ptr<LetterMaker>> LetterMaker::Create(const catalog::Catalog& catalog,
                                                               LetterMakerOptions options) {
    while (options.public_url.ends_with('/')) options.public_url.pop_back();
    if (!delivery::IsWebUrl(options.public_url)) {
        return base::Invalid("the public URL is not an http or https address", "public_url");
    }
    std::unique_ptr<LetterMaker> maker(new LetterMaker(catalog, std::move(options)));
    const auto& o = maker->options_;
    if (!o.dkim_domain.empty()) {
        TRY_ASSIGN(auto signer,
                   delivery::DkimSigner::Create(o.dkim_domain, o.dkim_selector, o.dkim_key));
        maker->signer_.emplace(std::move(signer));
    }
    return maker;
}

base::Result<MadeLetter> LetterMaker::Make(const model::OutboxEvent& event,
                                           base::TimeMs now) const {
    const auto journey = catalog_.FindJourney(event.journey, event.version);
    const auto workspace = catalog_.FindWorkspace(event.workspace);
    if (!journey || !workspace || event.step >= journey->program.size() ||
        !journey->program[event.step].letter) {
        return base::Fail(base::ErrorCode::kNotFound, "no letter at this step",
                          "the journey has no such letter");
    }
    const catalog::Letter& letter = *journey->program[event.step].letter;
    TRY_ASSIGN(const auto tokens, api::TokensOf(*workspace));

    auto sender = catalog_.GetSender(event.workspace);
    if (sender.from_address.empty()) {
        sender.from_address = options_.from_address;
        sender.from_name = options_.from_name;
    }
    delivery::LetterParts parts;
    parts.from = letter.from.empty() ? delivery::Mailbox{sender.from_name, sender.from_address}
                                     : ReadMailbox(letter.from);
    if (parts.from.address.empty()) {
        return base::Invalid("no sender address is set", "from");
    }
    if (!letter.reply_to.empty()) parts.reply_to = ReadMailbox(letter.reply_to);
    parts.to.address = event.address;
    parts.date_ms = now;
    parts.idempotency_key =
        std::to_string(event.workspace) + "/" + model::ToText(event.message);

    delivery::Token token;
    token.workspace = event.workspace;
    token.message = event.message;
    token.person = event.person;
    token.purpose = delivery::Purpose::kUnsubscribe;
    const std::string unsubscribe = options_.public_url + "/u/" + tokens.Write(token);
    parts.list_unsubscribe_url = unsubscribe;

    liquid::Arena arena;
    TRY_ASSIGN(const auto values, liquid::ParseJson(event.values, arena));
    if (!values.IsObject()) return base::Invalid("the values are no object", "values");
    std::vector<liquid::Member> members(values.members().begin(), values.members().end());
    members.push_back({"unsubscribe_url", liquid::Value::Text(unsubscribe)});
    members.push_back(
        {"sender",
         liquid::Value::Object(arena,
                               {{"name", liquid::Value::Text(parts.from.name)},
                                {"address", liquid::Value::Text(parts.from.address)},
                                {"postal_address", liquid::Value::Text(sender.postal_address)}})});
    const auto scope = liquid::Value::Object(arena, std::span<const liquid::Member>(members));
    liquid::Options plain;
    plain.now_ms = now;
    liquid::Options html = plain;
    html.escape_html = true;
    TRY_ASSIGN(const std::string subject, Print(letter.subject, "subject", scope, plain));
    parts.subject = OneLine(subject);
    TRY_ASSIGN(parts.text, Print(letter.text, "text", scope, plain));
    TRY_ASSIGN(parts.html, Print(letter.html, "html", scope, html));
    if (!parts.html.empty()) {
        delivery::LinkOptions links;
        links.click_base = options_.public_url + "/c/";
        links.open_base = options_.public_url + "/o/";
        links.keep_prefixes = {options_.public_url + "/u/"};
        parts.html = delivery::RewriteLinks(parts.html, token, tokens, links).html;
    }

    TRY_ASSIGN(auto built, delivery::BuildLetter(parts, workspace->token_secret));
    TRY(delivery::CheckLetter(built.bytes, parts));
    MadeLetter made;
    if (signer_) {
        TRY_ASSIGN(made.bytes, signer_->Sign(built.bytes, now));
    }
    made.bytes += built.bytes;
    if (made.bytes.size() > limits::kLetterBytesMax) {
        return base::Fail(base::ErrorCode::kTooLarge, "letter too large");
    }
    TRY_ASSIGN(made.envelope_from, delivery::WireAddress(parts.from.address));
    made.to = std::move(built.to);
    made.subject = std::move(parts.subject);
    made.text = std::move(parts.text);
    made.html = std::move(parts.html);
    made.mailbox_id = base::ToHex(
        base::HmacSha256(workspace->token_secret, "mailbox/" + parts.idempotency_key)
            .substr(0, kMailboxIdBytes));
    return made;
}

}  // namespace server
