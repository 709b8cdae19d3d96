// The only door to the program around the window: its commands and events.
// Every call either gives its value or throws a HostError holding a code;
// nothing else in the desk may import the bindings' code or `@tauri-apps`.
import { commands, events, type AppError } from '@/bindings/desk'
import { tell, tellUnexpected, type Told } from '@/shared/errors'
import type { Assessment, Form, PromptView, Scope, Settlement, Sheet } from '@/shared/types'

/** A command's refusal or failure, ready to be shown. */
export class HostError extends Error {
  constructor(readonly told: Told) {
    super(told.code)
    this.name = 'HostError'
  }
}

/** What to show for anything a command threw. */
export function toldOf(thrown: unknown): Told {
  return thrown instanceof HostError ? thrown.told : tellUnexpected()
}

/** Called when the host says nobody is signed in or the desk is locked. */
type Doorman = (code: 'signed_out' | 'locked') => void
let doorman: Doorman = () => undefined

export function onTurnedAway(then: Doorman): void {
  doorman = then
}

function wire(error: AppError): HostError {
  const params: Record<string, string> = {}
  for (const [name, value] of Object.entries(error.params ?? {})) {
    if (value !== undefined) params[name] = String(value)
  }
  return new HostError(tell({ ...error, params }))
}

/** How the bindings give a command's end. */
type Result<T, E> = { status: 'ok'; data: T } | { status: 'error'; error: E }

async function ask<T>(call: Promise<Result<T, AppError>>): Promise<T> {
  const result = await call
  if (result.status === 'ok') return result.data
  const { code } = result.error
  if (code === 'signed_out' || code === 'locked') doorman(code)
  throw wire(result.error)
}

export const host = {
  openAgain: () => ask(commands.openAgain()),
  enrolment: () => ask(commands.enrolment()),
  enrol: (hubUrl: string, code: string) => ask(commands.enrol(hubUrl, code)),
  staff: () => ask(commands.staff()),
  signIn: (login: string, password: string) => ask(commands.signIn(login, password)),
  session: () => ask(commands.session()),
  lock: () => ask(commands.lock()),
  signOut: () => ask(commands.signOut()),
  draftOpen: () => ask(commands.draftOpen()),
  draftSave: (id: string, { form, chosen }: Sheet) => ask(commands.draftSave(id, form, chosen)),
  drafts: () => ask(commands.drafts()),
  draftDiscard: (id: string) => ask(commands.draftDiscard(id)),
  advise: (form: Form) => ask(commands.advise(form)),
  answerSuggestions: (id: string) => ask(commands.answerSuggestions(id)),
  twins: (form: Form) => ask(commands.twins(form)),
  twinsElsewhere: (form: Form) => ask(commands.twinsElsewhere(form)),
  record: (draft: string, form: Form, assessment: Assessment, arrivedAt: string | null) =>
    ask(commands.record(draft, form, assessment, arrivedAt)),
  receipt: (id: string) => ask(commands.receipt(id)),
  cases: (scope: Scope, after: string | null) => ask(commands.cases(scope, after)),
  caseView: (id: string) => ask(commands.caseView(id)),
  search: (text: string) => ask(commands.search(text)),
  settle: (id: string, settlement: Settlement) => ask(commands.settle(id, settlement)),
  handOff: (id: string, note: string | null) => ask(commands.handOff(id, note)),
  note: (id: string, text: string) => ask(commands.note(id, text)),
  reply: (id: string, question: string, text: string) => ask(commands.reply(id, question, text)),
  withdraw: (id: string, reason: string) => ask(commands.withdraw(id, reason)),
  assign: (id: string, staff: string) => ask(commands.assign(id, staff)),
  takeOver: (id: string, reason: string) => ask(commands.takeOver(id, reason)),
  otherDesks: () => ask(commands.otherDesks()),
  takeOverAll: (device: string, reason: string) => ask(commands.takeOverAll(device, reason)),
  backups: () => ask(commands.backups()),
  chooseSecondPlace: (folder: string | null) => ask(commands.chooseSecondPlace(folder)),
  lan: () => ask(commands.lan()),
  lanServe: () => ask(commands.lanServe()),
  lanCode: () => ask(commands.lanCode()),
  lanFind: () => ask(commands.lanFind()),
  lanPair: (address: string, code: string) => ask(commands.lanPair(address, code)),
  lanLeave: () => ask(commands.lanLeave()),
  lanEnd: (device: string) => ask(commands.lanEnd(device)),
  evidence: (id: string) => ask(commands.evidence(id)),
  evidenceBegin: (id: string, name: string) => ask(commands.evidenceBegin(id, name)),
  evidencePiece: (number: number, piece: string) => ask(commands.evidencePiece(number, piece)),
  evidenceEnd: (number: number, whole: boolean) => ask(commands.evidenceEnd(number, whole)),
  evidenceRemove: (form: string, file: string) => ask(commands.evidenceRemove(form, file)),
  evidenceContents: (id: string, file: string) => ask(commands.evidenceContents(id, file)),
  status: () => ask(commands.status()),
  categories: () => ask(commands.categories()),
  guidance: () => ask(commands.guidance()),
  printPage: () => ask(commands.printPage()),
  bundleExport: (folder: string | null) => ask(commands.bundleExport(folder)),
  bundleReceipts: (parcel: Uint8Array) => ask(commands.bundleReceipts(Array.from(parcel))),
} as const

/** What changed in the store; views ask again for what they show. */
export type What = 'cases' | 'status' | 'directory' | 'session'

/** Stops listening. */
export type Stop = () => void

export async function onChanged(then: (what: What) => void): Promise<Stop> {
  return events.changed.listen((event) => then(event.payload.what))
}

export async function onPrompt(then: (prompt: PromptView) => void): Promise<Stop> {
  return events.prompt.listen((event) => then(event.payload))
}

export async function onOpenCase(then: (id: string) => void): Promise<Stop> {
  return events.openCase.listen((event) => then(event.payload))
}
