#include "flow/ingest/answer.h"

#include "base/json.h"

namespace ingest {
namespace {

// Seconds after which a client may try again; RudderStack and Segment obey up to 300.
constexpr int kRetryAfterS = 5;

void AppendRefused(base::JsonWriter& writer, const Decoded& decoded) {
    writer.Key("refused").Begin('[');
    for (const Refused& refused : decoded.refused) {
        writer.Begin('{');
        writer.Key("index").Int(static_cast<int64_t>(refused.index));
        writer.Key("reason").String(refused.reason);
        writer.End('}');
    }
    writer.End(']');
}

Answer Gif() { return {200, "image/gif", std::string(PixelGif()), 0}; }

}  // namespace

Answer AnswerFor(const Route& route, const Decoded& decoded) {
    if (route.dialect == Dialect::kPixel) return Gif();
    Answer answer;
    const bool taken =
        !decoded.events.empty() || decoded.self_aliases > 0 || decoded.not_tracked > 0;
    const bool refused = !decoded.refused.empty();
    if (refused && !taken) answer.status = 400;
    const bool ok = answer.status == 200;
    base::JsonWriter writer(answer.body);
    writer.Begin('{');
    switch (route.dialect) {
        case Dialect::kPosthog: writer.Key("status").Int(ok ? 1 : 0); break;
        case Dialect::kJitsu: writer.Key("ok").Bool(ok); break;
        default: writer.Key("success").Bool(ok); break;
    }
    if (!ok) writer.Key("message").String(decoded.refused.front().reason);
    if (refused) AppendRefused(writer, decoded);
    writer.End('}');
    return answer;
}

Answer AnswerFor(const Route& route, const base::Error& error) {
    Answer answer;
    answer.status = base::HttpStatus(error.code);
    if (answer.status == 503 || answer.status == 429) answer.retry_after_s = kRetryAfterS;
    // An <img> has no use for a text; what went wrong stands in the status.
    if (route.dialect == Dialect::kPixel) {
        answer.content_type = "image/gif";
        answer.body = PixelGif();
        return answer;
    }
    base::JsonWriter writer(answer.body);
    writer.Begin('{');
    switch (route.dialect) {
        case Dialect::kPosthog: writer.Key("status").Int(0); break;
        case Dialect::kJitsu: writer.Key("ok").Bool(false); break;
        default: writer.Key("success").Bool(false); break;
    }
    writer.Key("code").String(base::CodeName(error.code));
    writer.Key("message").String(base::ClientText(error));
    writer.End('}');
    return answer;
}

Answer SegmentSettings(std::string_view key, std::string_view api_host,
                       std::string_view protocol) {
    Answer answer;
    base::JsonWriter w(answer.body);
    w.Begin('{');
    w.Key("integrations").Begin('{').Key("Segment.io").Begin('{');
    w.Key("apiKey").String(key);
    w.Key("apiHost").String(api_host);
    w.Key("protocol").String(protocol);
    w.Key("unbundledIntegrations").Raw("[]");
    w.Key("maybeBundledConfigIds").Raw("{}");
    w.End('}').End('}');
    w.Key("plan").Begin('{');
    for (const std::string_view call : {"track", "identify", "group"}) {
        w.Key(call).Raw(R"({"__default":{"enabled":true,"integrations":{}}})");
    }
    w.End('}');
    w.Key("enabledMiddleware").Raw("{}");
    w.Key("remotePlugins").Raw("[]");
    w.Key("metrics").Raw(R"({"sampleRate":0})");
    w.Key("legacyVideoPluginsEnabled").Bool(false);
    w.End('}');
    return answer;
}

Answer RudderSourceConfig(std::string_view key, std::string_view data_plane_url,
                          base::TimeMs now_ms) {
    Answer answer;
    base::JsonWriter w(answer.body);
    w.Begin('{').Key("source").Begin('{');
    w.Key("id").String(key);
    w.Key("name").String("Ripen");
    w.Key("writeKey").String(key);
    w.Key("enabled").Bool(true);
    w.Key("workspaceId").String("ripen");
    w.Key("updatedAt").Time(now_ms);
    w.Key("config").Raw(
        R"({"statsCollection":{"errors":{"enabled":false},"metrics":{"enabled":false}}})");
    w.Key("connections").Raw("[]");
    w.Key("destinations").Raw("[]");
    w.Key("dataplanes").Begin('{').Key("US").Begin('[').Begin('{');
    w.Key("url").String(data_plane_url).Key("default").Bool(true);
    w.End('}').End(']').End('}');
    w.End('}');
    w.Key("updatedAt").Time(now_ms);
    w.End('}');
    return answer;
}

Answer PosthogConfig(std::string_view key) {
    Answer answer;
    base::JsonWriter w(answer.body);
    w.Begin('{');
    w.Key("token").String(key);
    w.Key("supportedCompression").Raw(R"(["gzip","gzip-js"])");
    w.Key("hasFeatureFlags").Bool(false);
    w.Key("captureDeadClicks").Bool(false);
    w.Key("capturePerformance").Bool(false);
    w.Key("autocapture_opt_out").Bool(false);
    w.Key("autocaptureExceptions").Bool(false);
    w.Key("analytics").Raw(R"({"endpoint":"/e/"})");
    w.Key("elementsChainAsString").Bool(true);
    w.Key("sessionRecording").Bool(false);
    w.Key("heatmaps").Bool(false);
    w.Key("surveys").Bool(false);
    w.Key("defaultIdentifiedOnly").Bool(true);
    w.Key("siteApps").Raw("[]");
    w.End('}');
    return answer;
}

Answer PosthogFlags(std::string_view request_id) {
    Answer answer;
    base::JsonWriter w(answer.body);
    w.Begin('{');
    w.Key("flags").Raw("{}");
    w.Key("featureFlags").Raw("{}");
    w.Key("featureFlagPayloads").Raw("{}");
    w.Key("errorsWhileComputingFlags").Bool(false);
    w.Key("requestId").String(request_id);
    w.Key("supportedCompression").Raw(R"(["gzip","gzip-js"])");
    w.Key("sessionRecording").Bool(false);
    w.Key("siteApps").Raw("[]");
    w.End('}');
    return answer;
}

std::string_view PixelGif() {
    static constexpr char kGif[] =
        "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff\x21\xf9\x04\x01\x00\x00\x00"
        "\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b";
    return {kGif, sizeof kGif - 1};
}

}  // namespace ingest
