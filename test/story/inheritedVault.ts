/**
 * The story of someone who inherits a vault: the commands that they type, and what they see. `npm run docs:story` writes it
 * into the guide.
 */

/** A part of the guide. */
export interface Chapter {
  readonly title: string
  readonly text: string
  /** The lines that are typed, each with the text before it and its exit code. */
  readonly steps: ReadonlyArray<{ readonly text?: string; readonly line: string; readonly code?: number }>
}

/** The chapters. */
export const chapters: ReadonlyArray<Chapter> = [
  {
    title: "Look around",
    text:
      "`doctor` checks everything that the other commands need: credentials, clock, network, and the state of the vault.",
    steps: [
      { line: "effect-glacier doctor --vault nas" },
      {
        text: "There are two vaults: the files, and the names of those that Synology's program has stored.",
        line: "effect-glacier vaults"
      }
    ]
  },
  {
    title: "Get the names",
    text:
      "The second vault has one archive, a database. Its inventory takes 3 to 5 hours on AWS, and so does its retrieval.",
    steps: [
      { line: "effect-glacier inventory --vault nas_mapping --wait" },
      { line: "effect-glacier get --vault nas_mapping mapping --tier Standard --yes" },
      { text: "Then the inventory of the files:", line: "effect-glacier inventory --vault nas --wait" },
      {
        text: "Five programs have written into this vault, each with names of its own. The variables save typing:",
        line:
          `export EFFECT_GLACIER_VAULT=nas EFFECT_GLACIER_SYNOLOGY_NAMES=$PWD/mapping/nas_mapping.db EFFECT_GLACIER_BOTO_NAMES=true`
      },
      { line: "effect-glacier du" },
      { line: "effect-glacier ls '/photo/2009' --quiet | head -3" },
      { text: "Everything has a name:", line: "effect-glacier find --unnamed" }
    ]
  },
  {
    title: "Know the cost",
    text: "A quote sends no request.",
    steps: [
      { line: "effect-glacier quote" },
      {
        text: "The documents are needed at home, the rest goes to S3.",
        line: "effect-glacier quote /documents --tier Bulk"
      }
    ]
  },
  {
    title: "Get the documents",
    text:
      "`get` retrieves, downloads and verifies. It never pays more than the budget, and can be interrupted at any time.",
    steps: [
      { line: "effect-glacier get /documents home --tier Bulk --max-cost 5" },
      {
        text: "Started again, it has nothing left to do:",
        line: "effect-glacier get /documents home --tier Bulk --max-cost 5"
      },
      { line: "effect-glacier status" }
    ]
  },
  {
    title: "Move everything to S3",
    text: "`move` does the same with objects. An archive becomes an object only when every byte is verified.",
    steps: [
      { line: "effect-glacier move s3://archive/nas/ --tier Bulk --max-cost 50 --path-style --no-checksums" },
      { line: "effect-glacier verify s3://archive/nas/ --path-style --no-checksums" }
    ]
  },
  {
    title: "Leave",
    text: "`empty --dry-run` says what would happen, and changes nothing.",
    steps: [
      { line: "effect-glacier empty --delete-vault --dry-run" },
      { text: "An upload is still open. No program continues it:", line: "effect-glacier uploads --abort --yes" },
      {
        text:
          "Only archives with a verified copy are deleted. On AWS this takes about two days, most of which is waiting.",
        line: "effect-glacier empty --delete-vault --delete-young --yes"
      },
      {
        text: "The vault with the names is no longer needed either:",
        line: "effect-glacier empty --vault nas_mapping --delete-vault --delete-young --yes"
      },
      { line: "effect-glacier vaults" }
    ]
  }
]
