#include "api/mailbox.h"

#include "api/resources.h"
#include "base/json.h"

namespace api {

bool LettersLeave(const Call& call) {
    if (call.services.mailbox == nullptr) return true;
    if (!call.services.letters_by_smtp) return false;
    const auto workspace = call.services.catalog.FindWorkspace(call.workspace);
    return workspace == nullptr || !workspace->demo;
}

namespace {

base::Result<Mailbox*> Find(const Call& call) {
    if (LettersLeave(call)) {
        return base::Fail(base::ErrorCode::kNotFound, "no built-in mailbox",
                          "Letters leave by the mail server; there is no built-in mailbox.");
    }
    return call.services.mailbox;
}

void WriteLetter(base::JsonWriter& w, const MailboxLetter& letter, bool whole) {
    w.Begin('{').Key("id").String(letter.id);
    w.Key("person_id").String(model::ToText(letter.person));
    w.Key("to").String(letter.to).Key("subject").String(letter.subject);
    w.Key("time").Time(letter.time_ms);
    if (whole) {
        w.Key("text").String(letter.text).Key("html").String(letter.html);
        w.Key("raw").String(letter.raw);
    }
    w.End('}');
}

base::Status List(Call& call) {
    TRY(CheckParameters(call.request, {"limit", "cursor"}));
    TRY_ASSIGN(const Page page, ReadPage(call.request));
    TRY_ASSIGN(Mailbox* const mailbox, Find(call));
    TRY_ASSIGN(const MailboxPage letters, mailbox->List(call.workspace, page.limit, page.cursor));
    std::string out;
    base::JsonWriter w(out);
    w.Begin('{').Key("letters").Begin('[');
    for (const auto& letter : letters.letters) WriteLetter(w, *letter, false);
    w.End(']').Key("next_cursor");
    if (letters.next_cursor.empty()) {
        w.Null();
    } else {
        w.String(letters.next_cursor);
    }
    w.End('}');
    Reply(call.respond, std::move(out));
    return {};
}

base::Status One(Call& call) {
    TRY(CheckParameters(call.request, {}));
    TRY_ASSIGN(Mailbox* const mailbox, Find(call));
    const auto letter = mailbox->Get(call.id);
    if (!letter || (*letter)->workspace != call.workspace) {
        return tl::make_unexpected(NotFound("letter"));
    }
    std::string out;
    base::JsonWriter w(out);
    WriteLetter(w, **letter, true);
    Reply(call.respond, std::move(out));
    return {};
}

}  // namespace

void ListLetters(Call&& call) { Run(call, List); }
void GetLetter(Call&& call) { Run(call, One); }

}  // namespace api
