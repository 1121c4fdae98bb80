// Numbers in one block of memory: 8 bytes while empty, and one miss of the processor's cache away
// when not. What windows remember of a person lies in these (model/person.h).
//
// Threads: as a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <new>
#include <utility>

namespace model {

class NumberList {
  public:
    NumberList() = default;
    NumberList(std::initializer_list<int64_t> numbers) {
        Insert(0, numbers.begin(), numbers.size());
    }
    NumberList(const NumberList& other) { Insert(0, other.begin(), other.size()); }
    NumberList(NumberList&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
    NumberList& operator=(NumberList other) noexcept {
        std::swap(block_, other.block_);
        return *this;
    }
    ~NumberList() { std::free(block_); }

    bool empty() const { return block_ == nullptr || block_->size == 0; }
    size_t size() const { return block_ == nullptr ? 0 : block_->size; }
    int64_t* begin() { return block_ == nullptr ? nullptr : Numbers(); }
    int64_t* end() { return begin() + size(); }
    const int64_t* begin() const { return block_ == nullptr ? nullptr : Numbers(); }
    const int64_t* end() const { return begin() + size(); }
    int64_t operator[](size_t i) const { return Numbers()[i]; }
    int64_t& operator[](size_t i) { return Numbers()[i]; }

    void PushBack(int64_t number) { Insert(size(), &number, 1); }
    // Puts `count` numbers before the one at `at`. They must not be this list's own.
    void Insert(size_t at, const int64_t* numbers, size_t count) {
        if (count == 0) return;
        const size_t before = size();
        Reserve(before + count);
        int64_t* const place = Numbers() + at;
        std::memmove(place + count, place, (before - at) * sizeof(int64_t));
        std::memcpy(place, numbers, count * sizeof(int64_t));
        block_->size = static_cast<uint32_t>(before + count);
    }
    // Takes `count` numbers away, from the one at `at`.
    void Erase(size_t at, size_t count) {
        if (count == 0) return;
        int64_t* const place = Numbers() + at;
        std::memmove(place, place + count, (size() - at - count) * sizeof(int64_t));
        block_->size -= static_cast<uint32_t>(count);
    }
    // Room for so many without another block.
    void Reserve(size_t count) {
        const size_t room = block_ == nullptr ? 0 : block_->room;
        if (count <= room) return;
        size_t more = room == 0 ? kFirstRoom : 2 * room + 1;
        if (more < count) more = count;
        auto* const block =
            static_cast<Block*>(std::realloc(block_, sizeof(Block) + more * sizeof(int64_t)));
        if (block == nullptr) throw std::bad_alloc();
        if (room == 0) block->size = 0;
        block->room = static_cast<uint32_t>(more);
        block_ = block;
    }
    // Brings the numbers into the processor's cache.
    void Prefetch() const { __builtin_prefetch(block_); }

    bool operator==(const NumberList& other) const {
        return size() == other.size() &&
               (empty() || std::memcmp(begin(), other.begin(), size() * sizeof(int64_t)) == 0);
    }

  private:
    struct Block {
        uint32_t size;
        uint32_t room;
    };
    static constexpr size_t kFirstRoom = 2;  // With the block's head and malloc's: 32 bytes.
    int64_t* Numbers() { return reinterpret_cast<int64_t*>(block_ + 1); }
    const int64_t* Numbers() const { return reinterpret_cast<const int64_t*>(block_ + 1); }

    Block* block_ = nullptr;
};

}  // namespace model
