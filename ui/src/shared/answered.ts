// How the hub's generated shapes are read.

/**
 * The hub writes every field of what it answers, with null for what there is
 * not; the description cannot say that, and calls such fields optional.
 */
export type Answered<T> = T extends (infer One)[]
  ? Answered<One>[]
  : T extends object
    ? { [Key in keyof T]-?: Answered<Exclude<T[Key], undefined>> }
    : T
