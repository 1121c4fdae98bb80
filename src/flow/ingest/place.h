// Country, region and city of an IP address, from a MaxMind DB file (MaxMind DB format 2.0: DB-IP
// City Lite, GeoLite2 City or Country). The address itself is not kept anywhere.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"

namespace ingest {

struct PlaceFacts {
    std::string country;  // "JP"
    std::string region;   // English name; the code where the file has no name.
    std::string city;
};

// The open file; immutable, any thread.
class PlaceFile {
  public:
    // Errors: kNotFound (no such file), kCorrupt (not a MaxMind DB).
    static base::Result<std::shared_ptr<const PlaceFile>> Open(const std::string& path);
    ~PlaceFile();
    // Empty for addresses that are not in the file, are private, loopback, link-local or not
    // addresses at all.
    PlaceFacts Find(std::string_view ip) const;

  private:
    struct Impl;
    explicit PlaceFile(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// True for addresses that the Internet does not route (RFC 6890): private, loopback, link-local,
// unique local, shared (100.64/10), multicast, unspecified; and for text that is no address.
bool IsPrivateAddress(std::string_view ip);

// Cached look-up; one thread. limits::kPlaceCacheEntries are kept.
class Places {
  public:
    explicit Places(std::shared_ptr<const PlaceFile> file) : file_(std::move(file)) {}
    const PlaceFacts& Find(std::string_view ip);  // Valid until the next Find.

  private:
    struct Entry {
        std::string ip;
        PlaceFacts facts;
    };
    std::shared_ptr<const PlaceFile> file_;  // nullptr: every place is empty.
    std::list<Entry> entries_;               // The most recently used first.
    std::unordered_map<std::string_view, std::list<Entry>::iterator> index_;
    PlaceFacts none_;
};

}  // namespace ingest
