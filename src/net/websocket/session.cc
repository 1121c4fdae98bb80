#include "net/websocket/session.h"

#include <algorithm>
#include <atomic>
#include <chrono>

#include "base/hash.h"

namespace websocket {
namespace {

using http::Response;
using SteadyTime = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

// How many things may come now: `per_second` at once, then as many each second.
class Allowance {
  public:
    explicit Allowance(size_t per_second)
        : per_second_(static_cast<double>(per_second)), left_(per_second_) {}
    bool Take(SteadyTime now) {
        if (at_ != SteadyTime()) {
            const std::chrono::duration<double> passed = now - at_;
            left_ = std::min(per_second_, left_ + passed.count() * per_second_);
        }
        at_ = now;
        if (left_ < 1) return false;
        left_ -= 1;
        return true;
    }

  private:
    double per_second_;
    double left_;
    SteadyTime at_{};
};

class Session final : public http::Upgrade,
                      public Peer,
                      public std::enable_shared_from_this<Session> {
  public:
    Session(std::shared_ptr<Listener> listener, const Options& options)
        : options_(options),
          listener_(std::move(listener)),
          reader_(options.frames),
          allowance_(options.messages_per_second_max) {}

    // --- Peer ---
    bool Send(http::Wire::Piece frame) override {
        if (closing_) return false;
        if (wire_->Send(std::move(frame), options_.waiting_bytes_max)) return true;
        Close(kTryLater, "this connection reads too slowly");
        return false;
    }
    void Close(uint16_t code, std::string_view reason) override {
        CloseWithin(code, reason, options_.linger_ms);
    }

    // --- http::Upgrade ---
    void Begin(std::shared_ptr<http::Wire> wire) override {
        wire_ = std::move(wire);
        heard_ = pinged_ = std::chrono::steady_clock::now();
        listener_->Opened(shared_from_this());
    }

    void Received(std::string_view bytes) override {
        heard_ = std::chrono::steady_clock::now();
        while (!closing_) {
            switch (reader_.Take(bytes)) {
                case FrameReader::State::kMore: return;
                case FrameReader::State::kRefused:
                    return Close(reader_.close_code(), reader_.why());
                case FrameReader::State::kIncoming: Came(reader_.incoming()); break;
            }
        }
    }

    void Sweep(SteadyTime now) override {
        const milliseconds every(options_.ping_ms);
        if (now - heard_ > 2 * every) return Close(kGoingAway, "no sign of life");
        if (now - std::max(heard_, pinged_) > every) {
            pinged_ = now;
            Send(std::make_shared<const std::string>(Frame(Opcode::kPing, {})));
        }
        if (!closing_) listener_->Sweep();
    }

    void Stopping() override {
        CloseWithin(kGoingAway, "the server is stopping",
                    std::min(options_.linger_ms, limits::kLingerTimeMs));
    }

    void Ended() override {
        closing_ = true;
        // The listener has us and we have the listener: here that ends.
        std::exchange(listener_, nullptr)->Closed();
    }

  private:
    void CloseWithin(uint16_t code, std::string_view reason, base::DurationMs linger_ms) {
        if (closing_.exchange(true)) return;
        wire_->Finish(std::make_shared<const std::string>(CloseFrame(code, reason)),
                      static_cast<int>(linger_ms));
    }

    void Came(const Incoming& incoming) {
        if (!allowance_.Take(heard_)) return Close(kPolicy, "too many messages a second");
        switch (incoming.opcode) {
            case Opcode::kText: return listener_->Message(incoming.payload);
            case Opcode::kBinary: return Close(kUnsupported, "only texts are understood");
            case Opcode::kPing:
                Send(std::make_shared<const std::string>(
                    Frame(Opcode::kPong, incoming.payload)));
                return;
            case Opcode::kClose: {
                uint16_t code = kNoCode;
                std::string_view reason;
                const bool right = ReadClose(incoming.payload, code, reason);
                if (!right) return Close(kProtocolError, "not a close frame");
                return Close(code == kNoCode ? kNormal : code, {});
            }
            case Opcode::kPong:
            case Opcode::kContinuation: return;
        }
    }

    const Options options_;
    std::shared_ptr<Listener> listener_;
    std::shared_ptr<http::Wire> wire_;   // Set before anybody else knows of us.
    std::atomic<bool> closing_{false};
    // --- the loop's thread ---
    FrameReader reader_;
    Allowance allowance_;
    SteadyTime heard_{};
    SteadyTime pinged_{};
};

bool HasToken(std::string_view list, std::string_view token) {
    while (!list.empty()) {
        const size_t comma = std::min(list.find(','), list.size());
        std::string_view element = list.substr(0, comma);
        list.remove_prefix(std::min(comma + 1, list.size()));
        while (!element.empty() && element.front() == ' ') element.remove_prefix(1);
        while (!element.empty() && element.back() == ' ') element.remove_suffix(1);
        if (http::EqualNoCase(element, token)) return true;
    }
    return false;
}

Response UpgradeRequired() {
    Response response =
        Response::Error(426, "upgrade_required", "This address speaks WebSocket, version 13.");
    response.headers.Add("Upgrade", "websocket");
    response.headers.Add("Sec-WebSocket-Version", "13");
    return response;
}

}  // namespace

Response Accept(const http::Request& request, std::shared_ptr<Listener> listener,
                const Options& options) {
    if (request.method != http::Method::kGet) {
        Response response =
            Response::Error(405, "method_not_allowed", "This address does not take that method.");
        response.headers.Add("Allow", "GET");
        return response;
    }
    const auto& headers = request.headers;
    if (request.http_1_0 || !HasToken(headers.Get("Upgrade"), "websocket") ||
        !HasToken(headers.Get("Connection"), "Upgrade") ||
        headers.Get("Sec-WebSocket-Version") != "13") {
        return UpgradeRequired();
    }
    const std::string_view key = headers.Get("Sec-WebSocket-Key");
    std::string bytes;
    if (key.size() != 24 || !base::Base64Decode(key, bytes) || bytes.size() != 16) {
        return Response::Error(400, "invalid_argument", "Sec-WebSocket-Key is not 16 bytes.");
    }
    Response response = Response::Empty(101);
    response.headers.Add("Upgrade", "websocket");
    response.headers.Add("Sec-WebSocket-Accept", AcceptKey(key));
    response.upgrade = std::make_shared<Session>(std::move(listener), options);
    return response;
}

}  // namespace websocket
