#include "server/mailbox.h"

#include <fcntl.h>
#include <simdjson.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "base/limits.h"

namespace server {

namespace fs = std::filesystem;
using api::MailboxLetter;
using api::MailboxLetterPtr;

namespace {

constexpr int kVersion = 1;
constexpr int kNumberDigits = 12;
constexpr std::string_view kSuffix = ".letter";

tl::unexpected<base::Error> Failed(const std::string& what, const std::string& path, int error) {
    return base::Fail(error == ENOSPC || error == EDQUOT ? base::ErrorCode::kDiskFull
                                                         : base::ErrorCode::kIo,
                      "mailbox: " + what + " " + path + ": " + std::strerror(error));
}

std::string FileName(uint64_t number) {
    std::string digits = std::to_string(number);
    if (digits.size() < kNumberDigits) digits.insert(0, kNumberDigits - digits.size(), '0');
    return digits.append(kSuffix);
}

bool ReadNumber(std::string_view text, uint64_t& number) {
    const auto end = text.data() + text.size();
    const auto r = std::from_chars(text.data(), end, number);
    return r.ec == std::errc() && r.ptr == end;
}

std::string Write(const MailboxLetter& letter) {
    std::string bytes;
    base::JsonWriter w(bytes);
    w.Begin('{').Key("version").Int(kVersion).Key("id").String(letter.id);
    w.Key("workspace").Int(letter.workspace).Key("person").String(model::ToText(letter.person));
    w.Key("to").String(letter.to).Key("subject").String(letter.subject);
    w.Key("time_ms").Int(letter.time_ms);
    w.Key("text_bytes").Int(static_cast<int64_t>(letter.text.size()));
    w.Key("html_bytes").Int(static_cast<int64_t>(letter.html.size()));
    w.Key("raw_bytes").Int(static_cast<int64_t>(letter.raw.size())).End('}');
    bytes += '\n';
    return bytes + letter.text + letter.html + letter.raw;
}

MailboxLetterPtr Read(const std::string& bytes) {
    const auto line = bytes.find('\n');
    if (line == std::string::npos) return nullptr;
    simdjson::dom::parser parser;
    simdjson::dom::element head;
    if (parser.parse(bytes.data(), line).get(head) != simdjson::SUCCESS) return nullptr;
    const auto text = [&](const char* key) {
        std::string_view v;
        return head[key].get(v) == simdjson::SUCCESS ? std::string(v) : std::string();
    };
    const auto number = [&](const char* key) {
        int64_t v = -1;
        return head[key].get(v) == simdjson::SUCCESS ? v : -1;
    };
    if (number("version") != kVersion) return nullptr;
    auto letter = std::make_shared<MailboxLetter>();
    letter->id = text("id");
    letter->workspace = static_cast<model::WorkspaceId>(number("workspace"));
    letter->to = text("to");
    letter->subject = text("subject");
    letter->time_ms = number("time_ms");
    const int64_t sizes[] = {number("text_bytes"), number("html_bytes"), number("raw_bytes")};
    size_t at = line + 1;
    std::string* const parts[] = {&letter->text, &letter->html, &letter->raw};
    for (int i = 0; i < 3; ++i) {
        if (sizes[i] < 0 || static_cast<uint64_t>(sizes[i]) > bytes.size() - at) return nullptr;
        parts[i]->assign(bytes, at, static_cast<size_t>(sizes[i]));
        at += static_cast<size_t>(sizes[i]);
    }
    if (at != bytes.size() || letter->id.empty() ||
        !model::FromText(text("person"), letter->person)) {
        return nullptr;
    }
    return letter;
}

size_t BytesOf(const MailboxLetter& letter) {
    return letter.text.size() + letter.html.size() + letter.raw.size() + letter.subject.size() +
           letter.to.size() + sizeof(MailboxLetter);
}

}  // namespace

base::Result<std::unique_ptr<FileMailbox>> FileMailbox::Open(const std::string& directory) {
    std::error_code failed;
    fs::create_directories(directory, failed);
    if (failed) return Failed("make", directory, failed.value());
    std::unique_ptr<FileMailbox> mailbox(new FileMailbox(directory));
    TRY(mailbox->Load());
    return mailbox;
}

base::Status FileMailbox::Load() {
    std::vector<uint64_t> numbers;
    std::error_code failed;
    for (fs::directory_iterator it(directory_, failed), end; !failed && it != end;
         it.increment(failed)) {
        const std::string name = it->path().filename().string();
        uint64_t number = 0;
        if (name.ends_with(".tmp")) {
            fs::remove(it->path(), failed);
        } else if (name.ends_with(kSuffix) &&
                   ReadNumber(std::string_view(name).substr(0, name.size() - kSuffix.size()),
                              number)) {
            numbers.push_back(number);
        }
    }
    if (failed) return Failed("list", directory_, failed.value());
    std::sort(numbers.begin(), numbers.end());
    for (const uint64_t number : numbers) {
        next_number_ = number + 1;
        std::ifstream in(directory_ + "/" + FileName(number), std::ios::binary);
        const std::string bytes((std::istreambuf_iterator<char>(in)), {});
        auto letter = Read(bytes);
        if (!letter || by_id_.contains(letter->id)) {
            ++unreadable_;
            continue;
        }
        const size_t size = BytesOf(*letter);
        Keep({number, std::move(letter), size});
    }
    return {};
}

void FileMailbox::Keep(Kept kept) {
    by_id_[kept.letter->id] = kept.letter;
    bytes_ += kept.bytes;
    kept_.push_back(std::move(kept));
    while (kept_.size() > limits::kMailboxLetters ||
           (bytes_ > limits::kMailboxBytesMax && kept_.size() > 1)) {
        const Kept& oldest = kept_.front();
        // One that cannot be removed is found, and tried again, at the next start.
        ::unlink((directory_ + "/" + FileName(oldest.number)).c_str());
        by_id_.erase(oldest.letter->id);
        bytes_ -= oldest.bytes;
        kept_.pop_front();
    }
}

base::Status FileMailbox::Store(MailboxLetter letter) {
    uint64_t number = 0;
    {
        std::lock_guard lock(mutex_);
        if (by_id_.contains(letter.id)) return {};
        number = next_number_++;
    }
    const std::string path = directory_ + "/" + FileName(number);
    const std::string made = path + ".tmp";
    const std::string bytes = Write(letter);
    const int fd = ::open(made.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return Failed("make", made, errno);
    size_t written = 0;
    int error = 0;
    while (written < bytes.size() && error == 0) {
        const ssize_t n = ::write(fd, bytes.data() + written, bytes.size() - written);
        if (n > 0) written += static_cast<size_t>(n);
        if (n <= 0 && errno != EINTR) error = n == 0 ? EIO : errno;
    }
    if (::close(fd) != 0 && error == 0) error = errno;
    if (error == 0 && ::rename(made.c_str(), path.c_str()) != 0) error = errno;
    if (error != 0) {
        ::unlink(made.c_str());
        return Failed("write", path, error);
    }
    const size_t size = BytesOf(letter);
    auto shared = std::make_shared<const MailboxLetter>(std::move(letter));
    std::lock_guard lock(mutex_);
    if (by_id_.contains(shared->id)) {
        ::unlink(path.c_str());
        return {};
    }
    Keep({number, std::move(shared), size});
    return {};
}

base::Result<api::MailboxPage> FileMailbox::List(model::WorkspaceId workspace, int limit,
                                                 const std::string& cursor) {
    uint64_t before = UINT64_MAX;
    if (!cursor.empty() && !ReadNumber(cursor, before)) {
        return base::Invalid("not a cursor of this list", "cursor");
    }
    limit = std::clamp(limit, 1, limits::kPageLimitMax);
    std::lock_guard lock(mutex_);
    api::MailboxPage page;
    uint64_t last = 0;
    for (auto it = kept_.rbegin(); it != kept_.rend(); ++it) {
        if (it->number >= before || it->letter->workspace != workspace) continue;
        if (page.letters.size() == static_cast<size_t>(limit)) {
            page.next_cursor = std::to_string(last);
            break;
        }
        page.letters.push_back(it->letter);
        last = it->number;
    }
    return page;
}

base::Result<MailboxLetterPtr> FileMailbox::Get(const std::string& id) {
    std::lock_guard lock(mutex_);
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) {
        return base::Fail(base::ErrorCode::kNotFound, "no letter " + id);
    }
    return found->second;
}

base::Status FileMailbox::Erase(model::WorkspaceId workspace) {
    std::lock_guard lock(mutex_);
    base::Status status;
    std::erase_if(kept_, [&](const Kept& kept) {
        if (kept.letter->workspace != workspace) return false;
        const std::string path = directory_ + "/" + FileName(kept.number);
        if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
            status = Failed("remove", path, errno);
            return false;
        }
        by_id_.erase(kept.letter->id);
        bytes_ -= kept.bytes;
        return true;
    });
    return status;
}

size_t FileMailbox::size() const {
    std::lock_guard lock(mutex_);
    return kept_.size();
}

}  // namespace server
