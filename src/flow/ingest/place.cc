#include "flow/ingest/place.h"

#include <arpa/inet.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cstring>

#include "base/limits.h"

namespace ingest {
namespace {

struct Address {
    int family = 0;  // 0: not an address.
    uint8_t bytes[16] = {};
    sockaddr_storage socket{};
};

Address ParseAddress(std::string_view ip) {
    Address out;
    char text[INET6_ADDRSTRLEN];
    if (ip.empty() || ip.size() >= sizeof text) return out;
    std::memcpy(text, ip.data(), ip.size());
    text[ip.size()] = '\0';
    if (inet_pton(AF_INET, text, out.bytes) == 1) {
        out.family = AF_INET;
    } else if (inet_pton(AF_INET6, text, out.bytes) == 1) {
        out.family = AF_INET6;
        static constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
        if (std::memcmp(out.bytes, kMapped, 12) == 0) {
            std::memmove(out.bytes, out.bytes + 12, 4);
            out.family = AF_INET;
        }
    }
    if (out.family == AF_INET) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        std::memcpy(&v4.sin_addr, out.bytes, 4);
        std::memcpy(&out.socket, &v4, sizeof v4);
    } else if (out.family == AF_INET6) {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        std::memcpy(&v6.sin6_addr, out.bytes, 16);
        std::memcpy(&out.socket, &v6, sizeof v6);
    }
    return out;
}

bool IsPrivate(const Address& a) {
    const uint8_t* b = a.bytes;
    if (a.family == AF_INET) {
        return b[0] == 0 || b[0] == 10 || b[0] == 127 || b[0] >= 224 ||
               (b[0] == 100 && (b[1] & 0xc0) == 64) || (b[0] == 169 && b[1] == 254) ||
               (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168);
    }
    static constexpr uint8_t kZero[15] = {};
    if (std::memcmp(b, kZero, 15) == 0 && b[15] <= 1) return true;  // :: and ::1
    return (b[0] & 0xfe) == 0xfc || b[0] == 0xff || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80);
}

template <typename... Path>
std::string Text(MMDB_entry_s& entry, Path... path) {
    MMDB_entry_data_s data;
    if (MMDB_get_value(&entry, &data, path..., nullptr) != MMDB_SUCCESS || !data.has_data ||
        data.type != MMDB_DATA_TYPE_UTF8_STRING) {
        return {};
    }
    return {data.utf8_string, data.data_size};
}

std::string FirstOf(std::string a, std::string b) { return a.empty() ? std::move(b) : a; }

}  // namespace

struct PlaceFile::Impl {
    MMDB_s db{};
    ~Impl() { MMDB_close(&db); }
};

PlaceFile::PlaceFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PlaceFile::~PlaceFile() = default;

base::Result<std::shared_ptr<const PlaceFile>> PlaceFile::Open(const std::string& path) {
    if (access(path.c_str(), R_OK) != 0) {
        return base::Fail(base::ErrorCode::kNotFound, "no place file at " + path);
    }
    MMDB_s db{};
    const int error = MMDB_open(path.c_str(), MMDB_MODE_MMAP, &db);
    if (error != MMDB_SUCCESS) {
        return base::Fail(base::ErrorCode::kCorrupt,
                          path + " is not a MaxMind DB: " + MMDB_strerror(error));
    }
    auto impl = std::make_unique<Impl>();
    impl->db = db;
    return std::shared_ptr<const PlaceFile>(new PlaceFile(std::move(impl)));
}

PlaceFacts PlaceFile::Find(std::string_view ip) const {
    const Address address = ParseAddress(ip);
    if (address.family == 0 || IsPrivate(address)) return {};
    int error = MMDB_SUCCESS;
    MMDB_lookup_result_s found = MMDB_lookup_sockaddr(
        &impl_->db, reinterpret_cast<const sockaddr*>(&address.socket), &error);
    if (error != MMDB_SUCCESS || !found.found_entry) return {};
    PlaceFacts out;
    // GeoLite2 nests and names; DB-IP's npm files are flat (country_code, state1, city).
    out.country = FirstOf(Text(found.entry, "country", "iso_code"),
                          Text(found.entry, "country_code"));
    out.region = FirstOf(Text(found.entry, "subdivisions", "0", "names", "en"),
                         FirstOf(Text(found.entry, "subdivisions", "0", "iso_code"),
                                 Text(found.entry, "state1")));
    out.city = FirstOf(Text(found.entry, "city", "names", "en"), Text(found.entry, "city"));
    return out;
}

bool IsPrivateAddress(std::string_view ip) {
    const Address address = ParseAddress(ip);
    return address.family == 0 || IsPrivate(address);
}

const PlaceFacts& Places::Find(std::string_view ip) {
    if (file_ == nullptr) return none_;
    if (const auto found = index_.find(ip); found != index_.end()) {
        entries_.splice(entries_.begin(), entries_, found->second);
        return found->second->facts;
    }
    if (entries_.size() >= limits::kPlaceCacheEntries) {
        index_.erase(entries_.back().ip);
        entries_.pop_back();
    }
    entries_.push_front({std::string(ip), file_->Find(ip)});
    index_.emplace(entries_.front().ip, entries_.begin());
    return entries_.front().facts;
}

}  // namespace ingest
