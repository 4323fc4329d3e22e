import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parseSync } from '@swc/core';
import { type Node, visit } from './imports.ts';

/** What a class is made of: more, and it does more than one thing (CONTRIBUTING.md, "Style"). */
const MOST_MEMBERS = 7;
const MOST_ARGUMENTS = 4;

/** Classes that are made of more, each with the reason. */
const MADE_OF_MORE: Readonly<Record<string, string>> = {
  Installation: 'what the operator and the command line told the doctor, for all its checks',
  MatrixProxy: 'the running program: what it starts and ends',
  OwnerSession: 'it hands most of them on to the objects of the same request that it makes',
  Relay: 'an answer on its way: what it needs is not put into an object for each one',
};

interface Made {
  readonly name: string;
  readonly members: number;
  readonly arguments: number;
}

const types = new Map<string, Node>();
const classes: Node[] = [];
for (const file of readdirSync('src', { recursive: true, encoding: 'utf8' })) {
  if (file.endsWith('.ts')) read(readFileSync(join('src', file), 'utf8'));
}

function read(text: string): void {
  visit(parseSync(text, { syntax: 'typescript', target: 'es2022' }).body, (node) => {
    if (node.type === 'TsInterfaceDeclaration' || node.type === 'TsTypeAliasDeclaration') {
      types.set(nameOf(node.id), node);
    }
    if (node.type === 'ClassDeclaration') classes.push(node);
  });
}

function nameOf(identifier: unknown): string {
  return String((identifier as Node).value);
}

function madeOf(node: Node): Made {
  const made = (node.body as Node[]).find(({ type }) => type === 'Constructor');
  const params = (made?.params as Node[] | undefined) ?? [];
  const members = params.map((param) => {
    const at = (param.param ?? param.pat) as Node;
    const isDeps = at.type === 'Identifier' && /^(?:deps|parts)$/.test(nameOf(at));
    return isDeps ? membersOf((at.typeAnnotation as Node | null)?.typeAnnotation).size : 0;
  });
  return { name: nameOf(node.identifier), members: Math.max(0, ...members), arguments: params.length };
}

/** The names of what an object of this type has. */
function membersOf(type: unknown): Set<string> {
  const node = (type ?? {}) as Node;
  switch (node.type) {
    case 'TsTypeLiteral':
      return namesIn(node.members as Node[]);
    case 'TsIntersectionType':
      return new Set((node.types as Node[]).flatMap((each) => [...membersOf(each)]));
    case 'TsTypeAliasDeclaration':
      return membersOf(node.typeAnnotation);
    case 'TsInterfaceDeclaration': {
      const inherited = (node.extends as Node[]).flatMap(({ expression, typeArguments }) => [
        ...referred(nameOf(expression), typeArguments),
      ]);
      return new Set([...namesIn((node.body as Node).body as Node[]), ...inherited]);
    }
    case 'TsTypeReference':
      return referred(nameOf(node.typeName), node.typeParams);
    default:
      return new Set();
  }
}

function namesIn(members: readonly Node[]): Set<string> {
  return new Set(members.flatMap(({ key }) => (key === undefined ? [] : [nameOf(key)])));
}

function referred(name: string, given: unknown): Set<string> {
  const [first, second] = ((given as Node | null | undefined)?.params ?? []) as Node[];
  if (name === 'Pick') return textsIn(second);
  if (name === 'Omit') {
    const left = textsIn(second);
    return new Set([...membersOf(first)].filter((member) => !left.has(member)));
  }
  return membersOf(types.get(name));
}

function textsIn(type: unknown): Set<string> {
  const texts = new Set<string>();
  visit(type, (node) => {
    if (node.type === 'StringLiteral') texts.add(nameOf(node));
  });
  return texts;
}

test('a class is made of few things, or says why not', () => {
  const made = classes.map(madeOf);
  const many = made.filter((each) => each.members > MOST_MEMBERS || each.arguments > MOST_ARGUMENTS);
  expect(many.filter(({ name }) => !(name in MADE_OF_MORE))).toEqual([]);
  const names = many.map(({ name }) => name);
  expect(Object.keys(MADE_OF_MORE).filter((name) => !names.includes(name))).toEqual([]);
});

test('members are counted through every form of a type', () => {
  read(`
    interface Few { readonly a: A; b(): void }
    interface Test1Deps extends Few, Pick<Other, 'c' | 'd'> { readonly e: E }
    class Made1 { constructor(private readonly deps: Test1Deps & { f: F }, g: G) {} }
    class Made2 { constructor(deps: Omit<Few, 'b'>) {} }
  `);
  expect(classes.slice(-2).map(madeOf)).toEqual([
    { name: 'Made1', members: 6, arguments: 2 },
    { name: 'Made2', members: 1, arguments: 1 },
  ]);
});
