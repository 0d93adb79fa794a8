import Fence
import FoundationEssentials
import KeyStore
import Keys
import Postgres
import Testing

@testable import Verification

/// The size and the choice of the keys in memory.
@Suite struct KeyCacheTests {
    private static let workspace = UUID()
    private let stamp: Stamp

    /// Takes a stamp as a node with a lease does.
    init() throws {
        let view = NodeView()
        let now = Moment(nanoseconds: 1_000_000_000)
        let timeline = ServerTimeline(system: 1, number: 1)
        let renewal = try #require(view.beginRenewal(at: now))
        view.apply(RenewalAnswer(isGranted: true, standing: [], timeline: timeline), to: renewal, at: now)
        let ticket = view.willRead(in: view.fences(of: Self.workspace))
        guard case .store(let stamp) = view.didRead(ticket, key: UUID(), on: timeline.mark, at: now) else {
            throw CancellationError()
        }
        self.stamp = stamp
    }

    private func digest(_ number: UInt64) throws -> Digest {
        // SplitMix64: as good as random, and the same in every run.
        var bytes: [UInt8] = []
        for part in UInt64(0)..<4 {
            var word = (number &* 4 &+ part &+ 1) &* 0x9E37_79B9_7F4A_7C15
            word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
            word ^= word >> 31
            withUnsafeBytes(of: word) { bytes += $0 }
        }
        return try #require(Digest(bytes: bytes))
    }

    private func key(_ number: UInt64, name: String = "key", _ state: KeyState = .ofNewKey()) throws -> CachedKey {
        let found = FoundKey(state: state, name: name, readAt: .earliest)
        return CachedKey(digest: try digest(number), key: found, stamp: stamp, readAt: .distantPast)
    }

    // Attack: a client with a million genuine tokens presents one after the other, so that the keys of all others leave the memory.
    @Test func `a cycle through many tokens evicts no key in use`() throws {
        let cache = KeyCache(maximumBytes: 4 << 20)
        let hot = UInt64(0)..<500
        for number in hot {
            cache.insert(try key(number))
            for _ in 0..<3 { _ = cache[try digest(number)] }
        }
        for round in 0..<2 {
            for number in UInt64(10_000)..<60_000 {
                let digest = try digest(number)
                if cache[digest] == nil { cache.insert(try key(number)) }
                // The hot keys go on to be used, seldom.
                if number % 100 == 0 { _ = cache[try self.digest(number / 100 % 500)] }
            }
            let left = try hot.filter { cache[try digest($0)] != nil }.count
            #expect(left >= 495, "round \(round): \(left) of 500 are left")
        }
    }

    // Attack: keys with 16 KiB of metadata and names.
    @Test func `the estimated size is never above the maximum`() throws {
        let cache = KeyCache(maximumBytes: 1 << 20)
        for number in UInt64(0)..<5000 {
            cache.insert(try key(number, name: String(repeating: "x", count: Int(number % 1000))))
            if number % 3 == 0 { for _ in 0..<3 { _ = cache[try digest(number)] } }
        }
        #expect(cache.size.bytes <= 1 << 20)
        #expect(cache.size.keys > 100)
        cache.insert(try key(9999, name: String(repeating: "x", count: 1 << 20)))
        #expect(cache[try digest(9999)] == nil)
    }

    // Attack: keys with the longest lists. What does not count fills the memory of the node beyond the setting.
    @Test func `the texts of every list of a key count, and so does their rendering`() throws {
        let empty = try key(1, name: "").byteCount
        var state = KeyState.ofNewKey()
        state.namespaces = NamespaceRule((0..<1000).map { "\($0 + 1000)-\(String(repeating: "n", count: 50))" })
        #expect(try key(1, name: "", state).byteCount - empty >= 1000 * (16 + 55))
        state = .ofNewKey()
        state.scopes = ScopeSet(freeForm: (0..<100).map { "\($0 + 100):\(String(repeating: "s", count: 96))" })
        #expect(try key(1, name: "", state).byteCount - empty >= 100 * (16 + 100 + 6 * 100))
        let name = String(repeating: "é", count: 127)
        #expect(try key(1, name: name).byteCount - empty >= 254 + 6 * 254)
    }

    @Test func `a key that is inserted again takes the place of the older entry`() throws {
        let cache = KeyCache(maximumBytes: 1 << 20)
        cache.insert(try key(1, name: "old"))
        cache.insert(try key(1, name: "new"))
        #expect(cache[try digest(1)]?.key.name == "new")
        #expect(cache.size.keys == 1)
        cache.removeAll()
        #expect(cache[try digest(1)] == nil && cache.size.keys == 0 && cache.size.bytes == 0)
    }
}
