#pragma once

#include <cstdint>
#include <string_view>

/**
 * The interface of Vitrine's frame decryption application. tests/platform/kernel/vitrine_frame_decrypt.h defines the
 * same for the secure world, and a test compares the two. A product has a similar application, with a licence system of
 * its own.
 */
namespace vitrine::frame_decrypt {

inline constexpr std::string_view uuid = "e1938b2b-f8aa-4611-900a-a96873961996";

/** [0] memory input, ordinary: an AES-128 key of 16 bytes. The session keeps it until it ends. */
inline constexpr uint32_t commandSetKey = 0;

/**
 * [0] memory input, ordinary: ciphertext, at least 1 byte. [1] memory output, a registered protected dma-buf: the
 * plaintext, at its offset. [2] memory input, ordinary: the first counter block, 16 bytes, big endian, not written
 * back.
 *
 * Errors: TEE_ERROR_ACCESS_DENIED if the target is not protected or a source is; TEE_ERROR_SHORT_BUFFER if the target
 * is smaller than the ciphertext; TEE_ERROR_BAD_STATE before commandSetKey; TEE_ERROR_BAD_PARAMETERS for malformed
 * parameters.
 */
inline constexpr uint32_t commandDecrypt = 1;

inline constexpr size_t keyBytes = 16;
inline constexpr size_t counterBytes = 16;

} // namespace vitrine::frame_decrypt

/** optee_test's Secure Data Path application (ta/sdp_basic): only the command that fills a buffer. */
namespace vitrine::sdp_basic {

inline constexpr std::string_view uuid = "12345678-5b69-11e4-9dbb-101f74f00099";

/**
 * [0] memory input, ordinary; [1] memory output, protected. Copies as many bytes as [1] has, even if [0] has fewer, so
 * both must have the same size. Error: TEE_ERROR_SHORT_BUFFER if [1] is smaller than [0].
 */
inline constexpr uint32_t commandInject = 0;

} // namespace vitrine::sdp_basic
