#include "site/assets.h"

#include <charconv>
#include <simdjson.h>

#include "base/check.h"

extern "C" {
extern const char ripen_web_pack_begin[];
extern const char ripen_web_pack_end[];
}

namespace site {
namespace {

constexpr std::string_view kMagic = "ripen-web 1 ";

tl::unexpected<base::Error> Corrupt(std::string text) {
    return base::Fail(base::ErrorCode::kCorrupt, "pack of web files: " + std::move(text));
}

// nullptr without the field. Errors: kCorrupt: not [at, size] inside of the bodies.
base::Result<Bytes> ReadBody(const simdjson::dom::object& row, std::string_view field,
                             std::string_view bodies) {
    simdjson::dom::array place;
    if (row[field].get(place) != simdjson::SUCCESS) return Bytes();
    uint64_t at = 0, size = 0;
    if (place.at(0).get(at) != simdjson::SUCCESS || place.at(1).get(size) != simdjson::SUCCESS ||
        at > bodies.size() || size > bodies.size() - at) {
        return Corrupt("a place outside of it");
    }
    return std::make_shared<const std::string>(bodies.substr(at, size));
}

}  // namespace

base::Result<Assets> Assets::Read(std::string_view pack) {
    const size_t line = pack.substr(0, 64).find('\n');
    if (!pack.starts_with(kMagic) || line == std::string_view::npos) {
        return Corrupt("not of version 1");
    }
    uint64_t size = 0;
    const char* const end = pack.data() + line;
    const auto read = std::from_chars(pack.data() + kMagic.size(), end, size);
    pack.remove_prefix(line + 1);
    if (read.ec != std::errc() || read.ptr != end || size > pack.size()) {
        return Corrupt("its first line lies");
    }
    simdjson::dom::parser parser;
    simdjson::dom::array rows;
    const simdjson::padded_string index(pack.substr(0, size));
    if (parser.parse(index).get(rows) != simdjson::SUCCESS) return Corrupt("its index is no JSON");
    const std::string_view bodies = pack.substr(size);
    Assets assets;
    for (const simdjson::dom::element row : rows) {
        simdjson::dom::object object;
        std::string_view path, type, etag;
        if (row.get(object) != simdjson::SUCCESS ||
            object["path"].get(path) != simdjson::SUCCESS ||
            object["type"].get(type) != simdjson::SUCCESS ||
            object["etag"].get(etag) != simdjson::SUCCESS) {
            return Corrupt("a row without path, type or etag");
        }
        File file{std::string(path), std::string(type), std::string(etag), {}, {}, {}};
        TRY_ASSIGN(file.raw, ReadBody(object, "raw", bodies));
        TRY_ASSIGN(file.gzip, ReadBody(object, "gzip", bodies));
        TRY_ASSIGN(file.brotli, ReadBody(object, "brotli", bodies));
        if (!file.raw) return Corrupt("a file without bytes");
        assets.files_.emplace(file.path, std::move(file));
    }
    return assets;
}

const Assets& Assets::BuiltIn() {
    static const Assets assets = [] {
        auto read = Read({ripen_web_pack_begin,
                          static_cast<size_t>(ripen_web_pack_end - ripen_web_pack_begin)});
        CHECK(read.has_value());  // The program carries what its own build made.
        return std::move(*read);
    }();
    return assets;
}

const File* Assets::Find(std::string_view path) const {
    const auto it = files_.find(path);
    return it == files_.end() ? nullptr : &it->second;
}

bool Assets::Has(std::string_view directory) const {
    const auto it = files_.lower_bound(directory);
    return it != files_.end() && it->first.starts_with(directory);
}

}  // namespace site
