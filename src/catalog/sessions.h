// Who is signed in: a small table outside of the log (docs/decisions/0040), in one file of the data
// directory. docs/formats/sessions.md has its bytes.
//
// A session is a cookie of 256 random bits; the table keeps its SHA-256. It ends 14 days after its
// last use, 90 days after it was made, when it is revoked, and when its teammate's password
// changes.
// When keys were last used is kept here too.
//
// Ends and beginnings are on stable storage when the call returns; times of last use at the latest
// an hour later, by Flush.
//
// Threads: every function from any thread. Begin, End*, and Flush wait for the disk.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace catalog {

struct Session {
    uint64_t number = 0;
    uint32_t teammate = 0;
    uint32_t password_version = 0;
    base::TimeMs created_ms = 0;
    base::TimeMs last_used_ms = 0;
    std::string address;      // Where it was last used from.
    std::string agent;        // User-Agent at the sign-in, cut at limits::kAgentBytesMax.
};

class Sessions {
  public:
    // `path` empty: in memory only. A file that does not read is set aside as `path`.unreadable:
    // everybody signs in again. Errors: kIo.
    static base::Result<std::unique_ptr<Sessions>> Open(std::string path);

    // Gives the cookie's text. The teammate's longest unused session goes beyond
    // limits::kSessionsPerTeammateMax. `session.number` is given here.
    // Errors: kIo, kDiskFull: the session holds all the same, until a restart.
    std::string Begin(Session session, base::Status& stored);
    // The living session of a cookie; notes the use.
    std::optional<Session> Use(std::string_view cookie, std::string_view address,
                               base::TimeMs now);
    // True while it would still be found; does not count as a use.
    bool Lives(uint64_t number, uint32_t password_version, base::TimeMs now) const;
    // Newest use first.
    std::vector<Session> Of(uint32_t teammate, base::TimeMs now) const;
    // True when the teammate has a living session that was last used from there.
    bool Knows(uint32_t teammate, std::string_view address, base::TimeMs now) const;
    // Errors: kNotFound (not a session of this teammate), kIo, kDiskFull: ended, but a restart
    // would bring it back until a later Flush works.
    base::Status End(uint32_t teammate, uint64_t number);
    // After a change of the password: ends the others, the kept one goes on under it.
    base::Status EndOthers(uint32_t teammate, uint64_t kept, uint32_t password_version);

    void KeyUsed(uint32_t key, base::TimeMs now);
    std::optional<base::TimeMs> KeyLastUsed(uint32_t key) const;

    // Writes what has changed and is due: an end that could not be stored, or uses of an hour ago.
    base::Status Flush(base::TimeMs now, bool all = false);

  private:
    explicit Sessions(std::string path) : path_(std::move(path)) {}
    base::Status Load();
    base::Status Store();
    bool Alive(const Session& session, base::TimeMs now) const;

    const std::string path_;
    mutable std::mutex mutex_;
    std::mutex write_;                        // Taken before mutex_.
    std::map<std::string, Session, std::less<>> sessions_;   // By SHA-256 of the cookie, hex.
    std::map<uint32_t, base::TimeMs> keys_;
    uint64_t next_number_ = 1;
    bool owed_ = false;                       // A beginning or an end is not stored yet.
    bool used_ = false;                       // Only times of use have changed.
    base::TimeMs stored_ms_ = 0;
};

}  // namespace catalog
