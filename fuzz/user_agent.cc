// Any header: device, robot and source readers answer without fault. The pattern files are named
// by RIPEN_UAP_REGEXES and RIPEN_CRAWLERS; without them the built-in words are tried alone.
#include <cstdlib>
#include <string>

#include "flow/ingest/device.h"
#include "flow/ingest/place.h"
#include "flow/ingest/source.h"

namespace {

std::string FromEnvironment(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static ingest::LazyAgentPatterns patterns(
        {FromEnvironment("RIPEN_UAP_REGEXES"), FromEnvironment("RIPEN_CRAWLERS")},
        [](std::string) {});
    static ingest::UserAgents agents(&patterns);
    static ingest::SourceReader sources;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const ingest::AgentFacts& facts = agents.Find(text);
    if (facts.is_bot != (facts.type == "bot")) std::abort();
    const size_t half = size / 2;
    sources.Read({}, text.substr(0, half), text.substr(half));
    ingest::HostOf(text);
    ingest::IsPrivateAddress(text);
    return 0;
}
