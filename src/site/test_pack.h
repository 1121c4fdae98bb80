// A small pack as tools/pack_web.mjs writes it.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "site/assets.h"

namespace site {

struct TestFile {
    std::string path;
    std::string type;
    std::string raw;
    std::string gzip;     // Empty: none.
    std::string brotli;
};

inline std::string PackOf(const std::vector<TestFile>& files) {
    std::string index, bodies;
    base::JsonWriter w(index);
    const auto place = [&](std::string_view name, const std::string& body) {
        w.Key(name).Begin('[').Int(static_cast<int64_t>(bodies.size()));
        w.Int(static_cast<int64_t>(body.size())).End(']');
        bodies += body;
    };
    w.Begin('[');
    for (const auto& file : files) {
        w.Begin('{').Key("path").String(file.path).Key("type").String(file.type);
        w.Key("etag").String("tag" + std::to_string(file.raw.size()));
        place("raw", file.raw);
        if (!file.gzip.empty()) place("gzip", file.gzip);
        if (!file.brotli.empty()) place("brotli", file.brotli);
        w.End('}');
    }
    w.End(']');
    return "ripen-web 1 " + std::to_string(index.size()) + '\n' + index + bodies;
}

inline std::string TestPack() {
    const std::string js = "text/javascript; charset=utf-8", html = "text/html; charset=utf-8";
    return PackOf({
        {"admin/assets/app-1.js", js, "console.log('raw')", "(gzip)", "(brotli)"},
        {"admin/favicon.svg", "image/svg+xml", "<svg/>", "", ""},
        {"admin/index.html", html, "<style nonce=\"__RIPEN_NONCE__\"></style>__RIPEN_NONCE__", "",
         ""},
        {"demo/cart.html", html, "<p>cart</p>", "", ""},
        {"demo/index.html", html,
         "<script src=\"/ripen.js\" data-key=\"__RIPEN_WRITE_KEY__\" "
         "data-api=\"__RIPEN_API__\"></script>__RIPEN_OTHER__",
         "", ""},
        {"demo/ja/index.html", html, "<p>ja</p>", "", ""},
        {"demo/photo.webp", "image/webp", "__RIPEN_API__", "", ""},
        {"tracker/ripen.js", js, "tracker", "(tz)", "(tb)"},
    });
}

inline Assets TestAssets() { return *Assets::Read(TestPack()); }

}  // namespace site
