#include "flow/delivery/letter_page.h"

#include <algorithm>
#include <array>

#include "base/hash.h"

namespace delivery {
namespace {

struct Texts {
    std::string_view language;
    std::string_view ask_title, ask_text, ask_button;
    std::string_view done_title, done_text;
    std::string_view invalid_title, invalid_text;
    std::string_view confirm_title, confirm_text, confirm_button;
    std::string_view confirmed_title, confirmed_text;
    std::string_view preferences;
};

// {sender} and {address} are filled in; texts without an address drop " ({address})".
constexpr std::array<Texts, 2> kTexts = {{
    {"en", "Stop these letters?",
     "{sender} will send no more letters to you{address}.", "Unsubscribe",
     "You are unsubscribed", "You will get no more letters from {sender}{address}.",
     "This link does not work", "It may have been cut off. Please open it from the letter again.",
     "Confirm your subscription", "{sender} may send letters to you{address}.", "Confirm",
     "Thank you", "Your subscription to {sender} is confirmed{address}.",
     "Choose which letters you get"},
    {"ja", "配信を停止しますか？", "{sender}からのメールの配信を停止します{address}。",
     "配信を停止する", "配信を停止しました",
     "今後、{sender}からのメールは届きません{address}。", "このリンクは使えません",
     "リンクが途中で切れている可能性があります。メールからもう一度開いてください。",
     "登録の確認", "{sender}からのメールの受信を登録します{address}。", "登録する",
     "ありがとうございます", "{sender}の登録を確認しました{address}。",
     "受け取るメールを選ぶ"},
}};

constexpr std::string_view kStyle =
    "body{margin:0;background:#f6f6f4;color:#222;font:16px/1.6 system-ui,sans-serif}"
    "main{max-width:28rem;margin:12vh auto;padding:2rem;background:#fff;border-radius:8px}"
    "h1{margin:0 0 .5rem;font-size:1.4rem}"
    "button{margin-top:1rem;padding:.7rem 1.4rem;border:0;border-radius:6px;background:#1d5c3a;"
    "color:#fff;font:inherit;cursor:pointer}"
    "button:focus-visible,a:focus-visible{outline:3px solid #8cc4a5}";

void AppendEscaped(std::string& out, std::string_view text) {
    for (const char c : text) {
        switch (c) {
            case '&': out.append("&amp;"); break;
            case '<': out.append("&lt;"); break;
            case '>': out.append("&gt;"); break;
            case '"': out.append("&quot;"); break;
            case '\'': out.append("&#39;"); break;
            default: out.push_back(c);
        }
    }
}

const Texts& TextsFor(std::string_view languages) {
    while (!languages.empty()) {
        std::string_view one = languages.substr(0, languages.find(','));
        languages.remove_prefix(std::min(one.size() + 1, languages.size()));
        while (one.starts_with(' ')) one.remove_prefix(1);
        std::string code(one.substr(0, 2));
        for (char& c : code) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        const bool whole = one.size() == 2 || (one.size() > 2 && (one[2] == '-' || one[2] == ';'));
        for (const Texts& texts : kTexts) {
            if (whole && texts.language == code) return texts;
        }
    }
    return kTexts[0];
}

void AppendFilled(std::string& out, std::string_view text, const LetterPageFacts& facts) {
    while (!text.empty()) {
        if (text.starts_with("{sender}")) {
            AppendEscaped(out, facts.sender);
            text.remove_prefix(8);
        } else if (text.starts_with("{address}")) {
            if (!facts.address.empty()) {
                out.append(" (");
                AppendEscaped(out, MaskAddress(facts.address));
                out.append(")");
            }
            text.remove_prefix(9);
        } else {
            out.push_back(text.front());
            text.remove_prefix(1);
        }
    }
}

struct Choice {
    std::string_view title, text, button;
};

Choice ChoiceOf(LetterPage page, const Texts& t) {
    switch (page) {
        case LetterPage::kAsk: return {t.ask_title, t.ask_text, t.ask_button};
        case LetterPage::kDone: return {t.done_title, t.done_text, {}};
        case LetterPage::kInvalid: return {t.invalid_title, t.invalid_text, {}};
        case LetterPage::kConfirmAsk: return {t.confirm_title, t.confirm_text, t.confirm_button};
        case LetterPage::kConfirmDone: return {t.confirmed_title, t.confirmed_text, {}};
    }
    return {t.invalid_title, t.invalid_text, {}};
}

}  // namespace

std::string MaskAddress(std::string_view address) {
    const size_t at = address.rfind('@');
    if (at == std::string_view::npos || at == 0) return "***";
    size_t first = 1;  // The first character, not its first byte.
    while (first < at && (static_cast<uint8_t>(address[first]) & 0xc0) == 0x80) ++first;
    return std::string(address.substr(0, first)) + "***" + std::string(address.substr(at));
}

std::string WriteLetterPage(LetterPage page, const LetterPageFacts& facts) {
    const Texts& texts = TextsFor(facts.language);
    const Choice choice = ChoiceOf(page, texts);
    std::string out = "<!doctype html><html lang=\"";
    out.append(texts.language).append("\"><head><meta charset=\"utf-8\">");
    out.append("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">");
    out.append("<meta name=\"robots\" content=\"noindex\"><meta name=\"referrer\" ");
    out.append("content=\"no-referrer\"><title>");
    AppendEscaped(out, choice.title);
    out.append("</title><style>").append(kStyle).append("</style></head><body><main><h1>");
    AppendEscaped(out, choice.title);
    out.append("</h1><p>");
    AppendFilled(out, choice.text, facts);
    out.append("</p>");
    if (!choice.button.empty()) {
        out.append("<form method=\"post\" action=\"");
        AppendEscaped(out, facts.action);
        out.append("\"><button type=\"submit\">").append(choice.button).append("</button></form>");
    }
    if (!facts.preferences_url.empty() && page != LetterPage::kInvalid) {
        out.append("<p><a href=\"");
        AppendEscaped(out, facts.preferences_url);
        out.append("\">").append(texts.preferences).append("</a></p>");
    }
    return out.append("</main></body></html>");
}

std::string LetterPagePolicy() {
    return "default-src 'none'; style-src 'sha256-" + base::Base64Encode(base::Sha256(kStyle)) +
           "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
}

}  // namespace delivery
