#include "catalog/sessions.h"

#include <fcntl.h>
#include <simdjson.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <tuple>

#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"

namespace catalog {
namespace {

constexpr int kVersion = 1;
constexpr size_t kCookieBytes = 32;

std::string HashOf(std::string_view cookie) { return base::ToHex(base::Sha256(cookie)); }

tl::unexpected<base::Error> Failed(const std::string& what, const std::string& path, int error) {
    return base::Fail(error == ENOSPC || error == EDQUOT ? base::ErrorCode::kDiskFull
                                                         : base::ErrorCode::kIo,
                      "sessions: " + what + " " + path + ": " + std::strerror(error));
}

int WriteAll(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n > 0) {
            bytes.remove_prefix(static_cast<size_t>(n));
        } else if (n == 0 || errno != EINTR) {
            return n == 0 ? EIO : errno;
        }
    }
    return 0;
}

// The new file is whole and has its name on stable storage, or the old one is as it was.
base::Status Replace(const std::string& path, const std::string& bytes) {
    const std::string made = path + ".tmp";
    const int fd = ::open(made.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return Failed("make", made, errno);
    int error = WriteAll(fd, bytes);
    if (error == 0 && ::fsync(fd) != 0) error = errno;
    if (::close(fd) != 0 && error == 0) error = errno;
    if (error == 0 && ::rename(made.c_str(), path.c_str()) != 0) error = errno;
    if (error != 0) {
        ::unlink(made.c_str());
        return Failed("write", made, error);
    }
    const size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash);
    const int parent = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0) return Failed("open", directory, errno);
    error = ::fsync(parent) == 0 ? 0 : errno;
    ::close(parent);
    if (error != 0) return Failed("sync", directory, error);
    return {};
}

}  // namespace

base::Result<std::unique_ptr<Sessions>> Sessions::Open(std::string path) {
    std::unique_ptr<Sessions> sessions(new Sessions(std::move(path)));
    TRY(sessions->Load());
    return sessions;
}

base::Status Sessions::Load() {
    if (path_.empty()) return {};
    std::ifstream in(path_, std::ios::binary);
    if (!in) {
        if (::access(path_.c_str(), F_OK) != 0) return {};
        return Failed("open", path_, errno);
    }
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    simdjson::dom::array sessions, keys;
    int64_t version = 0, next = 0;
    if (parser.parse(simdjson::padded_string(bytes)).get(root) != simdjson::SUCCESS ||
        root["version"].get(version) != simdjson::SUCCESS || version != kVersion ||
        root["next"].get(next) != simdjson::SUCCESS ||
        root["sessions"].get(sessions) != simdjson::SUCCESS ||
        root["keys"].get(keys) != simdjson::SUCCESS) {
        const std::string aside = path_ + ".unreadable";
        if (::rename(path_.c_str(), aside.c_str()) != 0) return Failed("move", path_, errno);
        return {};
    }
    next_number_ = static_cast<uint64_t>(next);
    const auto number = [](const simdjson::dom::element& e, const char* key) {
        int64_t v = 0;
        return e[key].get(v) == simdjson::SUCCESS ? v : 0;
    };
    const auto text = [](const simdjson::dom::element& e, const char* key) {
        std::string_view v;
        return e[key].get(v) == simdjson::SUCCESS ? std::string(v) : std::string();
    };
    for (const simdjson::dom::element e : sessions) {
        Session s;
        s.number = static_cast<uint64_t>(number(e, "number"));
        s.teammate = static_cast<uint32_t>(number(e, "teammate"));
        s.password_version = static_cast<uint32_t>(number(e, "password_version"));
        s.created_ms = number(e, "created_ms");
        s.last_used_ms = number(e, "last_used_ms");
        s.address = text(e, "address");
        s.agent = text(e, "agent");
        sessions_[text(e, "hash")] = std::move(s);
    }
    for (const simdjson::dom::element e : keys) {
        keys_[static_cast<uint32_t>(number(e, "number"))] = number(e, "last_used_ms");
    }
    return {};
}

// With write_ held. What is noted meanwhile stays to be stored.
base::Status Sessions::Store() {
    std::string out;
    {
        std::lock_guard lock(mutex_);
        owed_ = used_ = false;
        if (path_.empty()) return {};
        base::JsonWriter w(out);
        w.Begin('{').Key("version").Int(kVersion);
        w.Key("next").Int(static_cast<int64_t>(next_number_)).Key("sessions").Begin('[');
        for (const auto& [hash, s] : sessions_) {
            w.Begin('{').Key("hash").String(hash);
            w.Key("number").Int(static_cast<int64_t>(s.number));
            w.Key("teammate").Int(s.teammate).Key("password_version").Int(s.password_version);
            w.Key("created_ms").Int(s.created_ms).Key("last_used_ms").Int(s.last_used_ms);
            w.Key("address").String(s.address).Key("agent").String(s.agent).End('}');
        }
        w.End(']').Key("keys").Begin('[');
        for (const auto& [number, last_used] : keys_) {
            w.Begin('{').Key("number").Int(number).Key("last_used_ms").Int(last_used).End('}');
        }
        w.End(']').End('}');
        out += '\n';
    }
    auto status = Replace(path_, out);
    if (!status) {
        std::lock_guard lock(mutex_);
        owed_ = true;
    }
    return status;
}

bool Sessions::Alive(const Session& session, base::TimeMs now) const {
    return now - session.last_used_ms < limits::kSessionIdleMs &&
           now - session.created_ms < limits::kSessionLifeMs;
}

std::string Sessions::Begin(Session session, base::Status& stored) {
    char raw[kCookieBytes];
    base::RandomBytes(raw, sizeof raw);
    std::string cookie = base::Base64UrlEncode({raw, sizeof raw});
    session.agent.resize(std::min(session.agent.size(), limits::kAgentBytesMax));
    std::lock_guard write(write_);
    {
        std::lock_guard lock(mutex_);
        const base::TimeMs now = session.last_used_ms;
        std::erase_if(sessions_, [&](const auto& s) { return !Alive(s.second, now); });
        const auto of_her = [&](const auto& s) { return s.second.teammate == session.teammate; };
        while (static_cast<size_t>(std::count_if(sessions_.begin(), sessions_.end(), of_her)) >=
               limits::kSessionsPerTeammateMax) {
            auto oldest = sessions_.end();
            for (auto it = sessions_.begin(); it != sessions_.end(); ++it) {
                if (of_her(*it) && (oldest == sessions_.end() ||
                                    it->second.last_used_ms < oldest->second.last_used_ms)) {
                    oldest = it;
                }
            }
            sessions_.erase(oldest);
        }
        session.number = next_number_++;
        sessions_[HashOf(cookie)] = std::move(session);
    }
    stored = Store();
    return cookie;
}

std::optional<Session> Sessions::Use(std::string_view cookie, std::string_view address,
                                     base::TimeMs now) {
    if (cookie.empty()) return std::nullopt;
    const std::string hash = HashOf(cookie);
    std::lock_guard lock(mutex_);
    const auto it = sessions_.find(hash);
    if (it == sessions_.end() || !Alive(it->second, now)) return std::nullopt;
    if (now > it->second.last_used_ms) it->second.last_used_ms = now;
    if (it->second.address != address) it->second.address = address;
    used_ = true;
    return it->second;
}

bool Sessions::Lives(uint64_t number, uint32_t password_version, base::TimeMs now) const {
    std::lock_guard lock(mutex_);
    return std::any_of(sessions_.begin(), sessions_.end(), [&](const auto& s) {
        return s.second.number == number && s.second.password_version == password_version &&
               Alive(s.second, now);
    });
}

std::vector<Session> Sessions::Of(uint32_t teammate, base::TimeMs now) const {
    std::vector<Session> all;
    {
        std::lock_guard lock(mutex_);
        for (const auto& [hash, s] : sessions_) {
            if (s.teammate == teammate && Alive(s, now)) all.push_back(s);
        }
    }
    std::sort(all.begin(), all.end(), [](const Session& a, const Session& b) {
        return std::tie(a.last_used_ms, a.number) > std::tie(b.last_used_ms, b.number);
    });
    return all;
}

bool Sessions::Knows(uint32_t teammate, std::string_view address, base::TimeMs now) const {
    std::lock_guard lock(mutex_);
    return std::any_of(sessions_.begin(), sessions_.end(), [&](const auto& s) {
        return s.second.teammate == teammate && s.second.address == address &&
               Alive(s.second, now);
    });
}

base::Status Sessions::End(uint32_t teammate, uint64_t number) {
    std::lock_guard write(write_);
    {
        std::lock_guard lock(mutex_);
        const size_t ended = std::erase_if(sessions_, [&](const auto& s) {
            return s.second.teammate == teammate && s.second.number == number;
        });
        if (ended == 0) return base::Fail(base::ErrorCode::kNotFound, "no such session");
    }
    return Store();
}

base::Status Sessions::EndOthers(uint32_t teammate, uint64_t kept, uint32_t password_version) {
    std::lock_guard write(write_);
    {
        std::lock_guard lock(mutex_);
        std::erase_if(sessions_, [&](const auto& s) {
            return s.second.teammate == teammate && s.second.number != kept;
        });
        for (auto& [hash, s] : sessions_) {
            if (s.teammate == teammate) s.password_version = password_version;
        }
    }
    return Store();
}

void Sessions::KeyUsed(uint32_t key, base::TimeMs now) {
    std::lock_guard lock(mutex_);
    base::TimeMs& last = keys_[key];
    last = std::max(last, now);
    used_ = true;
}

std::optional<base::TimeMs> Sessions::KeyLastUsed(uint32_t key) const {
    std::lock_guard lock(mutex_);
    const auto it = keys_.find(key);
    if (it == keys_.end()) return std::nullopt;
    return it->second;
}

base::Status Sessions::Flush(base::TimeMs now, bool all) {
    std::lock_guard write(write_);
    {
        std::lock_guard lock(mutex_);
        if (stored_ms_ == 0) stored_ms_ = now;
        const bool due = used_ && (all || now - stored_ms_ >= limits::kUsesStoredMs);
        if (!owed_ && !due) return {};
        stored_ms_ = now;
    }
    return Store();
}

}  // namespace catalog
