// Messages of persons, newest first.
#pragma once

#include "server/asking.h"

namespace server {

// Answers {messages, next_cursor}. `journey` 0: of all journeys.
void ListMessages(const SourcesPtr& sources, const ReplyPtr& reply, model::WorkspaceId workspace,
                  uint32_t journey, const api::Page& page);
// The same of one person; on the thread that owns her.
void ListMessagesOf(const SourcesPtr& sources, const ReplyPtr& reply, const model::Person& person,
                    uint32_t journey, const api::Page& page);

}  // namespace server
