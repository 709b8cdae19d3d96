// What is looked for. Not in the address, which browsers and proxies keep: it
// may be somebody's name or number.
import { ref } from 'vue'

export const asked = ref('')
