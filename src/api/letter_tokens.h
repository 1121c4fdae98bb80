// Which key signs the tokens in a workspace's letters: number 1, the workspace's token secret.
// Senders write with TokensOf, the public pages read with FindToken.
#pragma once

#include <optional>
#include <string_view>

#include "catalog/catalog.h"
#include "flow/delivery/tokens.h"

namespace api {

// Errors: kInvalidArgument: the workspace has no usable secret.
base::Result<delivery::TokenScheme> TokensOf(const catalog::Workspace& workspace);

// nullopt: not written by TokensOf of any of our workspaces for this purpose, or changed since.
std::optional<delivery::Token> FindToken(const catalog::Catalog& catalog, std::string_view text,
                                         delivery::Purpose purpose);

}  // namespace api
