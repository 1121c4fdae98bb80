// The built-in mailbox: where letters go while no mail server is set, so that a newcomer sees them.
// It keeps the newest limits::kMailboxLetters; older ones are forgotten.
//
// Threads: every function from any thread; none waits for a disk or network.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/time.h"
#include "model/ids.h"

namespace api {

struct MailboxLetter {
    // 32 random hex digits. Not to be guessed: the sandbox listener shows a letter to whoever has
    // its id, because it must not know keys.
    std::string id;
    model::WorkspaceId workspace = 0;
    model::PersonId person;
    std::string to;
    std::string subject;
    base::TimeMs time_ms = 0;
    std::string text;   // Plain part; empty: none.
    std::string html;   // HTML part; empty: none.
    std::string raw;    // The whole letter as it would have been sent.
};
using MailboxLetterPtr = std::shared_ptr<const MailboxLetter>;

struct MailboxPage {
    std::vector<MailboxLetterPtr> letters;  // Newest first.
    std::string next_cursor;                // Empty: there are no more.
};

class Mailbox {
  public:
    virtual ~Mailbox() = default;

    // Errors: kInvalidArgument, `at` "cursor": not a cursor of this list.
    virtual base::Result<MailboxPage> List(model::WorkspaceId workspace, int limit,
                                           const std::string& cursor) = 0;
    // Of any workspace; the caller compares it. Errors: kNotFound.
    virtual base::Result<MailboxLetterPtr> Get(const std::string& id) = 0;
};

}  // namespace api
