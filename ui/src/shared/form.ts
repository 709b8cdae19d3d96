// The intake form as a value: an empty one, one read from a draft, and whether
// anything stands in it.
import type { Chosen, DraftView, Form, Intake, Sheet } from './types'

export function emptyForm(): Form {
  return {
    channel: 'walk_in',
    anonymous: false,
    name: '',
    phone: '',
    email: '',
    account: '',
    id_number: '',
    representative: null,
    group: [],
    category: '',
    business: '',
    cause: '',
    description: '',
    occurred_at: null,
    place: '',
    remedy_sought: '',
    amount_minor: null,
    language: 'zh-CN',
    links: [],
  }
}

export function emptyChosen(): Chosen {
  return { grade: null, complexity: null, override_reason: '', arrived_at: null, about: null }
}

export function emptySheet(): Sheet {
  return { form: emptyForm(), chosen: emptyChosen() }
}

export function toSheet(draft: DraftView): Sheet {
  return { form: toForm(draft.intake), chosen: { ...emptyChosen(), ...draft.chosen } }
}

/** A form from the wire, where what is empty may be missing. */
export function toForm(intake: Intake): Form {
  const { representative, group, ...rest } = intake
  return {
    ...emptyForm(),
    ...rest,
    representative: representative ? { ...emptyRepresentative(), ...representative } : null,
    group: (group ?? []).map((contact) => ({ ...emptyContact(), ...contact })),
  }
}

export function emptyRepresentative(): NonNullable<Form['representative']> {
  return { name: '', phone: '', proof: '' }
}

export function emptyContact(): Form['group'][number] {
  return { name: '', phone: '' }
}

/** Whether nothing was typed. Channel and language alone are only settings. */
export function isEmptyForm(form: Form): boolean {
  const { channel: _channel, language: _language, ...typed } = form
  const { channel: _c, language: _l, ...empty } = emptyForm()
  return JSON.stringify(typed) === JSON.stringify(empty)
}
