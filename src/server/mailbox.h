// The built-in mailbox on disk: a file for each of the newest limits::kMailboxLetters letters in
// <data>/mailbox/, all of them in memory besides. docs/formats/mailbox.md has the files' bytes.
//
// Threads: every function from any thread. Reading never waits for the disk; Store writes a file
// without syncing it: a letter of the last seconds may be gone after a power cut.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "api/mailbox.h"
#include "base/result.h"

namespace server {

class FileMailbox final : public api::Mailbox {
  public:
    // Makes the directory or reads what is there; files that do not read are passed over and
    // counted. Errors: kIo, kDiskFull.
    static base::Result<std::unique_ptr<FileMailbox>> Open(const std::string& directory);

    base::Result<api::MailboxPage> List(model::WorkspaceId workspace, int limit,
                                        const std::string& cursor) override;
    base::Result<api::MailboxLetterPtr> Get(const std::string& id) override;

    // Takes a letter; one whose id is there already is left as it is. Drops the oldest beyond
    // kMailboxLetters or kMailboxBytesMax.
    // Errors: kIo, kDiskFull (the letter is not kept).
    base::Status Store(api::MailboxLetter letter);

    // Forgets the letters of a workspace that was deleted.
    // Errors: kIo: a file is still there; call again.
    base::Status Erase(model::WorkspaceId workspace);

    size_t size() const;
    size_t unreadable() const { return unreadable_; }

  private:
    struct Kept {
        uint64_t number = 0;  // Of its file; rising.
        api::MailboxLetterPtr letter;
        size_t bytes = 0;
    };
    explicit FileMailbox(std::string directory) : directory_(std::move(directory)) {}
    base::Status Load();
    void Keep(Kept kept);

    const std::string directory_;
    mutable std::mutex mutex_;
    std::deque<Kept> kept_;  // Oldest first.
    std::unordered_map<std::string, api::MailboxLetterPtr> by_id_;
    uint64_t next_number_ = 1;
    size_t bytes_ = 0;
    size_t unreadable_ = 0;
};

}  // namespace server
