// A WebSocket client for tests that sends what no browser would.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <string_view>

#include "net/websocket/frame.h"

namespace websocket {

// A frame as a client sends it.
inline std::string Masked(Opcode opcode, std::string_view payload, bool fin = true) {
    std::string frame = Frame(opcode, payload);
    if (!fin) frame[0] = static_cast<char>(frame[0] & 0x7f);
    frame[1] = static_cast<char>(frame[1] | static_cast<char>(0x80));
    const size_t head = frame.size() - payload.size();
    constexpr std::string_view kMask = "mask";
    for (size_t i = 0; i < payload.size(); ++i) {
        frame[head + i] = static_cast<char>(frame[head + i] ^ kMask[i % 4]);
    }
    return frame.insert(head, kMask);
}

class TestClient {
  public:
    explicit TestClient(uint16_t port, int receive_bytes = 0)
        : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        if (receive_bytes > 0) {
            ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
        }
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(0, ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address));
    }
    ~TestClient() { ::close(fd_); }
    TestClient(const TestClient&) = delete;
    TestClient& operator=(const TestClient&) = delete;

    static std::string Upgrade(std::string_view path, std::string_view fields = {}) {
        return "GET " + std::string(path) +
               " HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
               std::string(fields) + "\r\n";
    }
    void Send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return;  // The server may have closed already: the answer tells.
            bytes.remove_prefix(static_cast<size_t>(sent));
        }
    }
    void SendText(std::string_view text) { Send(Masked(Opcode::kText, text)); }
    // Asks for the upgrade; the answer's head.
    std::string Open(std::string_view path = "/", std::string_view fields = {}) {
        Send(Upgrade(path, fields));
        return ReadHead();
    }
    std::string ReadHead() {
        size_t end = 0;
        while ((end = received_.find("\r\n\r\n")) == std::string::npos && ReadSome()) {
        }
        if (end == std::string::npos) return std::exchange(received_, {});
        std::string head = received_.substr(0, end + 4);
        received_.erase(0, end + 4);
        return head;
    }
    struct Came {
        Opcode opcode = Opcode::kText;
        std::string payload;
    };
    // The next frame of the server; nullopt: it has closed, or is silent for 10 s.
    std::optional<Came> Next() {
        while (true) {
            if (received_.size() >= 2) {
                const auto byte = [&](size_t i) { return static_cast<uint8_t>(received_[i]); };
                size_t head = 2, size = byte(1);
                if (size == 126) head = 4;
                if (size == 127) head = 10;
                if (received_.size() >= head) {
                    if (head > 2) {
                        size = 0;
                        for (size_t i = 2; i < head; ++i) size = size << 8 | byte(i);
                    }
                    if (received_.size() >= head + size) {
                        Came came{static_cast<Opcode>(byte(0) & 0xf), received_.substr(head, size)};
                        received_.erase(0, head + size);
                        return came;
                    }
                }
            }
            if (!ReadSome()) return std::nullopt;
        }
    }
    // The code with which the server closes, whatever comes before; 0: it just went away.
    int CloseCode() {
        while (auto came = Next()) {
            if (came->opcode != Opcode::kClose) continue;
            uint16_t code = 0;
            std::string_view reason;
            EXPECT_TRUE(ReadClose(came->payload, code, reason));
            return code;
        }
        return 0;
    }
    bool ReadSome() {
        pollfd state{fd_, POLLIN, 0};
        if (::poll(&state, 1, 10'000) != 1) {
            ADD_FAILURE() << "silence";
            return false;
        }
        char bytes[65536];
        const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
        if (got > 0) received_.append(bytes, static_cast<size_t>(got));
        return got > 0;
    }
    bool Gone() {
        while (ReadSome()) {
        }
        return true;
    }

  private:
    int fd_;
    std::string received_;
};

}  // namespace websocket
