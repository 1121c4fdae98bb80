#include "api/letter_tokens.h"

#include "base/bytes.h"
#include "base/hash.h"

namespace api {
namespace {

constexpr uint8_t kKeyNumber = 1;

}  // namespace

base::Result<delivery::TokenScheme> TokensOf(const catalog::Workspace& workspace) {
    return delivery::TokenScheme::Create({{kKeyNumber, workspace.token_secret}});
}

std::optional<delivery::Token> FindToken(const catalog::Catalog& catalog, std::string_view text,
                                         delivery::Purpose purpose) {
    if (text.size() > limits::kTokenBytesMax) return std::nullopt;
    // Which workspace it claims to be of only picks the key that has to vouch for it.
    std::string bytes;
    if (!base::Base64Decode(text, bytes)) return std::nullopt;
    base::ByteReader in(bytes);
    in.U8();
    in.U8();
    in.U8();
    const uint64_t number = in.Varint();
    if (!in.ok() || number > UINT32_MAX) return std::nullopt;
    const auto workspace = catalog.FindWorkspace(static_cast<model::WorkspaceId>(number));
    if (!workspace) return std::nullopt;
    const auto scheme = TokensOf(*workspace);
    if (!scheme) return std::nullopt;
    auto token = scheme->Read(text, purpose);
    if (!token || token->workspace != workspace->number) return std::nullopt;
    return token;
}

}  // namespace api
