// Any body at any address: the decoder answers without fault, and every event it takes is written
// as a canonical event that reads back with the same ids. The first byte picks the address.
#include <cstdlib>
#include <string>

#include "flow/ingest/answer.h"
#include "flow/ingest/decode.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static constexpr const char* kPaths[] = {"/v1/batch", "/v1/t", "/v1/i", "/v1/g",  "/v1/a",
                                             "/v1/p",     "/e/",   "/batch/", "/api/s/page"};
    static ingest::Decoder decoder(nullptr, nullptr);
    static model::EventReader reader;
    if (size == 0) return 0;
    const ingest::Route route = *ingest::FindRoute(kPaths[data[0] % std::size(kPaths)]);
    std::string body(reinterpret_cast<const char*>(data + 1), size - 1);
    ingest::FindKey({{}, {}, {}, body});
    ingest::RequestFacts facts;
    facts.received_ms = 1767607261000;
    facts.key_id = "k1";
    facts.identity_secret = "secret";
    const auto result = decoder.Decode(route, body, facts);
    if (!result) return 0;
    ingest::AnswerFor(route, **result);
    for (const model::Event& event : (*result)->events) {
        std::string json;
        model::AppendEventJson(json, event);
        model::EventView view;
        if (!reader.ReadCopy(json, view)) std::abort();
        if (view.user_id != event.user_id || view.anonymous_id != event.anonymous_id ||
            view.message_id != event.message_id || view.name != event.name) {
            std::abort();
        }
    }
    return 0;
}
