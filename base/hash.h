// Hashes of texts for names and caches: equal on every machine and in every process.
// Not for anything that an adversary chooses.
#ifndef CANCELSAFE_BASE_HASH_H_
#define CANCELSAFE_BASE_HASH_H_

#include <cstdint>
#include <string_view>

namespace cancelsafe {

// FNV-1a in 32 bits.
inline uint32_t HashText32(std::string_view text) {
  uint32_t hash = 2166136261u;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  return hash;
}

// FNV-1a in 64 bits. `hash` continues an earlier one.
inline uint64_t HashText64(std::string_view text, uint64_t hash = 14695981039346656037u) {
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211u;
  return hash;
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_BASE_HASH_H_
