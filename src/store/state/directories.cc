#include "store/state/directories.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

namespace state {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPrefix = "checkpoint-";

tl::unexpected<base::Error> Failed(const std::string& what, const std::string& path, int error) {
    const bool full = error == ENOSPC || error == EDQUOT;
    return base::Fail(full ? base::ErrorCode::kDiskFull : base::ErrorCode::kIo,
                      "state: " + what + " " + path + ": " + std::strerror(error));
}

template <typename T>
bool ReadNumber(std::string_view text, T& value) {
    if (text.empty() || (text[0] == '0' && text.size() > 1)) return false;
    const auto end = text.data() + text.size();
    const auto r = std::from_chars(text.data(), end, value);
    return r.ec == std::errc() && r.ptr == end;
}

base::Status SyncPath(const std::string& path, int flags) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
    if (fd < 0) return Failed("open", path, errno);
    const int error = ::fsync(fd) == 0 ? 0 : errno;
    ::close(fd);
    if (error != 0) return Failed("sync", path, error);
    return {};
}

base::Status SyncDirectory(const std::string& path) {
    return SyncPath(path, O_RDONLY | O_DIRECTORY);
}

base::Result<std::vector<fs::path>> List(const std::string& directory) {
    std::vector<fs::path> entries;
    std::error_code error;
    for (fs::directory_iterator it(directory, error), end; !error && it != end;
         it.increment(error)) {
        entries.push_back(it->path());
    }
    if (error) return Failed("list", directory, error.value());
    return entries;
}

}  // namespace

std::string ToText(const CheckpointName& name) {
    return std::string(kPrefix) + std::to_string(name.offset) + "-" +
           std::to_string(name.behaviour);
}

bool FromText(std::string_view text, CheckpointName& name) {
    if (!text.starts_with(kPrefix)) return false;
    text.remove_prefix(kPrefix.size());
    const auto dash = text.find('-');
    if (dash == std::string_view::npos) return false;
    return ReadNumber(text.substr(0, dash), name.offset) &&
           ReadNumber(text.substr(dash + 1), name.behaviour);
}

base::Status MakeDirectory(const std::string& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) return Failed("make", path, error.value());
    return {};
}

base::Result<std::vector<CheckpointName>> ListCheckpoints(const std::string& directory) {
    TRY_ASSIGN(const auto entries, List(directory));
    std::vector<CheckpointName> names;
    for (const auto& entry : entries) {
        CheckpointName name;
        if (FromText(entry.filename().string(), name)) names.push_back(name);
    }
    std::sort(names.rbegin(), names.rend());
    return names;
}

base::Status RemoveBeginning(const std::string& directory, const std::string& prefix) {
    TRY_ASSIGN(const auto entries, List(directory));
    for (const auto& entry : entries) {
        if (!entry.filename().string().starts_with(prefix)) continue;
        std::error_code error;
        fs::remove_all(entry, error);
        if (error) return Failed("remove", entry.string(), error.value());
    }
    return {};
}

base::Status LinkFiles(const std::string& from, const std::string& to) {
    TRY(MakeDirectory(to));
    TRY_ASSIGN(const auto entries, List(from));
    for (const auto& entry : entries) {
        std::error_code error;
        const fs::path target = fs::path(to) / entry.filename();
        bool linked = false;
        if (entry.extension() == ".sst") {
            fs::create_hard_link(entry, target, error);
            linked = !error;  // A file system without links: copied like the others.
            error.clear();
        }
        if (!linked) fs::copy_file(entry, target, error);
        if (error) return Failed("copy", entry.string(), error.value());
    }
    return {};
}

base::Status Complete(const std::string& directory, const std::string& made_name,
                      const std::string& final_name) {
    const std::string made = directory + "/" + made_name;
    TRY_ASSIGN(const auto entries, List(made));
    for (const auto& entry : entries) {
        if (entry.extension() != ".sst") TRY(SyncPath(entry.string(), O_RDONLY));
    }
    TRY(SyncDirectory(made));
    const std::string target = directory + "/" + final_name;
    if (::rename(made.c_str(), target.c_str()) != 0) {
        if (errno != ENOTEMPTY && errno != EEXIST) return Failed("rename", made, errno);
        if (::renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) != 0) {
            return Failed("exchange", made, errno);
        }
    }
    return SyncDirectory(directory);
}

base::Status Rename(const std::string& directory, const std::string& from, const std::string& to) {
    if (::rename((directory + "/" + from).c_str(), (directory + "/" + to).c_str()) != 0) {
        return Failed("rename", directory + "/" + from, errno);
    }
    return SyncDirectory(directory);
}

}  // namespace state
