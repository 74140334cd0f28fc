#pragma once

#include <cstdint>
#include <string_view>

/**
 * The wire of Vitrine's frame decryption application, as tests/platform/kernel/vitrine_frame_decrypt.h has it for the
 * secure world; a test compares the two. A board that plays protected video offers an application like it under its own
 * licence system.
 */
namespace vitrine::frame_decrypt {

inline constexpr std::string_view uuid = "e1938b2b-f8aa-4611-900a-a96873961996";

/** [0] memory input, ordinary: 16 bytes of AES-128 key. The session keeps it and forgets it when it ends. */
inline constexpr uint32_t commandSetKey = 0;

/**
 * [0] memory input, ordinary: ciphertext, any length but 0. [1] memory output, a registered protected dma-buf: the
 * plaintext, at its offset. [2] memory input, ordinary: the first counter block, 16 bytes big endian, not written back.
 *
 * TEE_ERROR_ACCESS_DENIED where the target is not protected or a source is; TEE_ERROR_SHORT_BUFFER where the target is
 * smaller than the ciphertext; TEE_ERROR_BAD_STATE before commandSetKey; TEE_ERROR_BAD_PARAMETERS for anything
 * malformed.
 */
inline constexpr uint32_t commandDecrypt = 1;

inline constexpr size_t keyBytes = 16;
inline constexpr size_t counterBytes = 16;

} // namespace vitrine::frame_decrypt

/**
 * optee_test's Secure Data Path application (ta/sdp_basic). Only what fills a buffer.
 */
namespace vitrine::sdp_basic {

inline constexpr std::string_view uuid = "12345678-5b69-11e4-9dbb-101f74f00099";

/**
 * [0] memory input, ordinary; [1] memory output, protected. Copies as many bytes as [1] has, also where [0] has fewer:
 * both must be given the same size. TEE_ERROR_SHORT_BUFFER where [1] is smaller than [0].
 */
inline constexpr uint32_t commandInject = 0;

} // namespace vitrine::sdp_basic
