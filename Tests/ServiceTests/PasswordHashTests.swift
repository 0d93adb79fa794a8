import Service
import Testing

@Suite struct PasswordHashTests {
    // The attack: guess after guess. An earlier comparison accepted one wrong password in 256.
    @Test func `only the right password matches a hash`() throws {
        let cost = try #require(PasswordCost(logN: 4, blockSize: 1))
        let hash = try PasswordHash(of: "correct horse battery", cost: cost, salt: Array(0..<16))
        #expect(try hash.matches("correct horse battery"))
        for number in 0..<3_000 { #expect(try !hash.matches("guess \(number)")) }
    }
}
