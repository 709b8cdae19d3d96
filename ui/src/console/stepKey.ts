// The name of one step a person takes, so that the hub does it once however
// often it is asked. Not crypto.randomUUID: that needs https, and a hub may be
// reached by plain http inside an office network.

/** A random UUID (version 4, RFC 9562). */
export function newStepKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
