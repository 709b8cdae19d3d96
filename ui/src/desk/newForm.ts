// The wish for an empty form, from anywhere in the frame to the intake screen,
// which may not be on the screen yet.
import { ref } from 'vue'

const asked = ref(0)

/** Rises with each wish. */
export const newFormAsked = asked

export function askForNewForm(): void {
  asked.value += 1
}
