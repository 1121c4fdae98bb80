// The built files of the screens, the tracker and the demo, which the program carries inside: one
// pack, made by tools/pack_web.mjs and linked in (docs/formats/web_pack.md).
//
// Threads: a read pack never changes; every function from any thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace site {

using Bytes = std::shared_ptr<const std::string>;

struct File {
    std::string path;   // "admin/assets/index-B7xk.js".
    std::string type;   // "text/javascript; charset=utf-8".
    std::string etag;   // Without quotes; of the raw bytes.
    Bytes raw;
    Bytes gzip;         // nullptr: not worth it.
    Bytes brotli;       // The same.
};

class Assets {
  public:
    // Errors: kCorrupt: not a pack of a version we read.
    static base::Result<Assets> Read(std::string_view pack);
    // Of this program. Empty when it was built without the web's build.
    static const Assets& BuiltIn();

    // nullptr: there is no such file.
    const File* Find(std::string_view path) const;
    // True when there is a file below "admin/", "tracker/", "demo/".
    bool Has(std::string_view directory) const;
    size_t size() const { return files_.size(); }

  private:
    std::map<std::string, File, std::less<>> files_;
};

}  // namespace site
