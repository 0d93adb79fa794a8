import Testing

@testable import Service

/// Passwords that attackers try first.
@Suite struct CommonPasswordTests {
    // The attack: a list of the most frequent passwords is tried at every account.
    @Test(arguments: [
        "password1234", "Password1234!", "P@ssw0rd12345", "passwordpassword", "123456789012", "1234567890123456",
        "098765432109", "qwertyuiop123", "qwerty123456", "1qaz2wsx3edc4rfv", "1q2w3e4r5t6y", "aaaaaaaaaaaa",
        "abcabcabcabc", "abc123abc123", "adminadmin12", "administrator1", "letmein12345", "welcome12345",
        "Welcome2026!!",
        "iloveyou12345", "changeme12345", "Summer2026!!", "mortise123456", "secret-password", "ThisIsMyPassword1",
        "abcdefghijkl", "asdfghjkl123456", "trustno1trustno1", "postgrespassword", "zxcvbnm12345",
    ])
    func `what attackers try first is refused`(_ password: String) {
        #expect(CommonPassword.matches(password))
    }

    @Test(arguments: [
        "correct horse battery", "correct horse battery staple", "a new password", "known to mallory",
        "reset by an admin",
        "another password", "another good one", "Tr0ub4dor&3xyz", "m7Qz!p2Lw9#vKd", "password of the moon",
        "vierzehn-affen",
        "9f8a7c6d5e4b3a21", "gorilla8banjo",
    ])
    func `a password that nobody else has is taken`(_ password: String) {
        #expect(!CommonPassword.matches(password))
    }
}
