// The hub's shapes of the status page, as its description of itself generates
// them (bindings/hub.ts), under the names the screens use.
import type { components } from '@/bindings/hub'
import type { Answered } from '@/shared/answered'

type Shapes = components['schemas']

export type CustomerState = Shapes['CustomerState']
export type Opened = Answered<Shapes['Opened']>
export type StatusAnswer = Answered<Shapes['StatusAnswer']>
export type StatusCase = Answered<Shapes['StatusCase']>
export type StatusMay = Answered<Shapes['StatusMay']>
export type StatusNext = Answered<Shapes['StatusNext']>
export type StatusQuestion = Answered<Shapes['StatusQuestion']>
export type StatusRating = Answered<Shapes['StatusRating']>
export type StatusStage = Shapes['StatusStage']
export type StatusStep = Answered<Shapes['StatusStep']>
