// Built by a sanitizer, without optimisation, code is some thirty times slower: tests take smaller
// sizes there that run through the same code.
#pragma once

namespace support {

#ifdef __SANITIZE_ADDRESS__
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif
#else
inline constexpr bool sanitized = false;
#endif

}  // namespace support
