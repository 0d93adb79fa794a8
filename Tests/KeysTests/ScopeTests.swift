import Keys
import TestSupport
import Testing

@Suite struct ScopeTests {
    private func covers(_ held: String, _ required: String) -> Bool {
        Scope(freeForm: held).covers(Scope(freeForm: required))
    }

    @Test func `a wildcard covers narrower scopes and never a wider one`() {
        #expect(covers("*", "read:x") && covers("*", "read:*") && covers("*", "tables") && covers("*", "*"))
        #expect(covers("read:*", "read:x") && covers("read:*", "read:*") && covers("read:x", "read:x"))
        for (held, required) in [
            ("read:*", "*"), ("read:x", "*"), ("read:x", "read:*"), ("read:*", "write:x"), ("read:*", "readx:x"),
            ("rea:*", "read:x"), ("read:x", "read:xy"), ("read:xy", "read:x"), ("read:x", "READ:x"),
        ] { #expect(!covers(held, required), "\(held) \(required)") }
    }

    // A dialect lets its users write any scope. A text that looks like a wildcard must not become one.
    @Test func `an opaque scope covers only itself`() {
        for text in ["tables", "", ":*", "read:", "a:b:*", "read:x y", "**", "* ", "*:*", "*:read", "read:**", "é:*"] {
            let scope = Scope(freeForm: text)
            #expect(scope.isOpaque && scope.covers(scope) && Scope.all.covers(scope))
            for other in ["read:x", "*", "read:*", "a:b", "tables2", "a:b:c"] {
                #expect(
                    !scope.covers(Scope(freeForm: other)) && (other == "*" || !covers(other, text)),
                    "\(text) \(other)"
                )
            }
        }
        // The same letter composed and decomposed: equal as text, not equal as a name.
        #expect(!covers("\u{E9}", "e\u{301}"))
    }

    @Test func `validation accepts the grammar and nothing else`() throws {
        func fault(_ text: String) -> ScopeFault? {
            do throws(ScopeFault) {
                _ = try Scope(validating: text)
                return nil
            } catch {
                return error
            }
        }
        let long = String(repeating: "a", count: 64)
        for text in ["*", "read:x", "read:*", "A.b-c_9:Z.y-x_0", "\(long):\(long)"] { #expect(fault(text) == nil) }
        for text in ["", "read", "a:b:c", "* ", "**"] { #expect(fault(text) == .notVerbAndResource, "\(text)") }
        for text in [":x", "*:x", "*:*", "re ad:x", "é:x", "\(long)a:x"] { #expect(fault(text) == .badVerb, "\(text)") }
        for text in ["x:", "x:**", "x:a*", "x: ", "x:\u{0}", "x:\(long)a"] {
            #expect(fault(text) == .badResource, "\(text)")
        }
    }

    @Test func `covering is reflexive and transitive, and mutual only between equals`() {
        forEachSeed(20_000) { seed, generator in
            let (a, b, c) = (generator.scope(), generator.scope(), generator.scope())
            #expect(a.covers(a), "seed \(seed)")
            #expect(!(a.covers(b) && b.covers(c)) || a.covers(c), "seed \(seed)")
            #expect(!(a.covers(b) && b.covers(a)) || a == b, "seed \(seed)")
        }
    }

    @Test func `a set covers the scopes that its members cover, and keeps their order`() {
        let set = ScopeSet(freeForm: ["read:*", "write:a", "read:*", "tables"])
        #expect(set.texts == ["read:*", "write:a", "tables"])
        #expect(set.covers([]) && set.covers(["read:q", "write:a", "tables"].map(Scope.init(freeForm:))))
        #expect(!set.covers(["read:q", "write:b"].map(Scope.init(freeForm:))))
        #expect(ScopeSet([]).covers([]) && !ScopeSet([]).covers(Scope(freeForm: "a")))
    }

    @Test func `a namespace rule allows its names and no others`() {
        func allows(_ allowed: [String]?, _ requested: String?) -> Bool { NamespaceRule(allowed).allows(requested) }
        #expect(allows(nil, nil) && allows(nil, "a") && allows([], nil) && allows([], "default"))
        #expect(!allows([], "a") && allows(["a"], "a") && !allows(["a"], "b"))
        #expect(!allows(["a"], nil) && !allows(["a"], "default") && allows(["a", "default"], nil))
        #expect(allows(["*"], "a") && allows(["*"], nil) && !allows(["a*"], "ab") && !allows(["\u{E9}"], "e\u{301}"))
    }

    @Test func `a permission set contains its members and no others`() {
        let set: PermissionSet = [.keysRead, .platform]
        #expect(set.names == ["keys:read", "platform:*"] && PermissionSet(names: set.names) == set)
        #expect(set.contains(.platform) && !set.contains(.keysWrite) && !set.contains(.workspacesWrite))
        #expect(PermissionSet(names: ["keys:read", "keys:*"]) == nil && PermissionSet(names: [])?.isEmpty == true)
        #expect(set.isSuperset(of: [.keysRead]) && !set.isSuperset(of: [.keysRead, .keysWrite]))
        #expect(PermissionSet.organization.permissions.count == Permission.allCases.count - 1)
        #expect(!PermissionSet.organization.contains(.platform))
    }
}
