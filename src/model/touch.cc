#include "model/touch.h"

#include "base/bytes.h"

namespace model {

std::string_view Touch::Find(std::string_view name) const {
    if (name == "source") return source;
    if (name == "medium") return medium;
    if (name == "campaign") return campaign;
    if (name == "term") return term;
    if (name == "content") return content;
    if (name == "referrer") return referrer;
    if (name == "kind") return kind;
    return {};
}

std::string PackTouch(const Touch& touch) {
    std::string out;
    out.reserve(96);
    base::ByteWriter w(out);
    w.Signed(touch.at_ms);
    for (const auto& part : {touch.source, touch.medium, touch.campaign, touch.term,
                             touch.content, touch.referrer, touch.kind}) {
        w.Text(part.substr(0, 512));
    }
    return out;
}

Touch UnpackTouch(std::string_view bytes) {
    Touch touch;
    if (bytes.empty()) return touch;
    base::ByteReader in(bytes);
    touch.at_ms = in.Signed();
    for (auto* part : {&touch.source, &touch.medium, &touch.campaign, &touch.term, &touch.content,
                       &touch.referrer, &touch.kind}) {
        *part = in.Text();
    }
    return touch;
}

}  // namespace model
