// What has been typed and not yet sent, kept in memory by its place (a case
// and a step): it outlives a failed request, a lost lease, a closed form and a
// sign-in that ran out. Never on disk: it may hold personal data.
import { reactive } from 'vue'
import { asked } from './searching'

const kept = new Map<string, object>()

/** The same reactive object for the same place until it is forgotten. */
export function keep<T extends object>(place: string, fresh: () => T): T {
  const known = kept.get(place)
  if (known) return known as T
  const made = reactive(fresh()) as T
  kept.set(place, made)
  return made
}

/** Keeps what had been forgotten, for a form that stays open after it was sent. */
export function keepAgain(place: string, what: object): void {
  kept.set(place, what)
}

export function forget(place: string): void {
  kept.delete(place)
}

/** When another person signs in, and when one signs out. */
export function forgetAll(): void {
  kept.clear()
  asked.value = ''
}
