#include "flow/ingest/signature.h"

#include "base/hash.h"

namespace ingest {

std::string SignId(std::string_view secret, model::IdKind kind, std::string_view id) {
    std::string text(model::IdKindName(kind));
    text.push_back(':');
    if (kind == model::IdKind::kEmail) {
        text += model::NormalEmail(id);
    } else {
        text += id;
    }
    return base::ToHex(base::HmacSha256(secret, text));
}

bool SignatureHolds(std::string_view secret, model::IdKind kind, std::string_view id,
                    std::string_view signature) {
    if (secret.empty() || signature.empty()) return false;
    return base::ConstantTimeEqual(SignId(secret, kind, id), signature);
}

}  // namespace ingest
